import { BuildError } from '../errors.ts';

/** A step of a pattern: what one character must be, or how many may be passed over. */
type Step =
  | { readonly kind: 'character'; readonly matches: (character: string) => boolean }
  /** `*`: any number of characters of one name. */
  | { readonly kind: 'name' }
  /** `**`: nothing, or any number of directories with the slash behind them. */
  | { readonly kind: 'directories' }
  /** `**` at the end: everything. */
  | { readonly kind: 'rest' };

/** Tells whether a path matches; the path is relative, with slashes. */
export type PathMatcher = (path: string) => boolean;

/**
 * Compiles a pattern of Go's `filepath.Match` with `**`, as Docker's ignore files have it. Matching takes at most the length of
 * the pattern times that of the path.
 *
 * @throws BuildError `ERR_OCI_IGNORE_PATTERN_INVALID` for brackets or escapes that are left open.
 */
export function compilePattern(pattern: string): PathMatcher {
  if (!/[*?[\]\\]/.test(pattern)) return (path) => path === pattern;
  const [, suffix] = /^\*\*([^*?[\]\\/]+)$/.exec(pattern) ?? [];
  if (suffix !== undefined) return (path) => path.endsWith(suffix);
  const steps = parse(pattern);
  return (path) => run(steps, path);
}

function parse(pattern: string): readonly Step[] {
  const characters = [...pattern];
  const steps: Step[] = [];
  let at = 0;
  while (at < characters.length) {
    const character = characters[at] ?? '';
    at++;
    if (character === '*' && characters[at] === '*') {
      at++;
      if (characters[at] === '/') at++;
      steps.push({ kind: at < characters.length ? 'directories' : 'rest' });
    } else if (character === '*') steps.push({ kind: 'name' });
    else if (character === '?') steps.push({ kind: 'character', matches: (other) => other !== '/' });
    else if (character === '[') {
      const { matches, end } = parseClass(characters, at, pattern);
      steps.push({ kind: 'character', matches });
      at = end;
    } else {
      const literal = character === '\\' ? characters[at++] : character;
      if (literal === undefined) return invalid(pattern, 'nothing follows the backslash');
      steps.push({ kind: 'character', matches: (other) => other === literal });
    }
  }
  return steps;
}

function parseClass(
  characters: readonly string[],
  start: number,
  pattern: string,
): { readonly matches: (character: string) => boolean; readonly end: number } {
  let at = start;
  const negated = characters[at] === '^';
  if (negated) at++;
  const ranges: (readonly [number, number])[] = [];
  const one = (): number => {
    let character = characters[at++];
    if (character === '\\') character = characters[at++];
    else if (character === '-' || character === ']')
      return invalid(pattern, `${character} stands in the wrong place`);
    return character?.codePointAt(0) ?? invalid(pattern, 'a bracket is left open');
  };
  while (characters[at] !== ']' || ranges.length === 0) {
    const low = one();
    let high = low;
    if (characters[at] === '-') {
      at++;
      high = one();
    }
    ranges.push([low, high]);
  }
  const matches = (character: string): boolean => {
    const point = character.codePointAt(0) ?? 0;
    return ranges.some(([low, high]) => low <= point && point <= high) !== negated;
  };
  return { matches, end: at + 1 };
}

/** Follows all ways through the steps at once. */
function run(steps: readonly Step[], path: string): boolean {
  let states = enter(new Set(), 0, steps);
  for (const character of path) {
    const next = new Set<number>();
    for (const state of states) {
      // Odd numbers: within the directories of the step, where only a slash leads on.
      const step = steps[state >> 1];
      if (step === undefined) continue;
      if (step.kind === 'rest') enter(next, state, steps);
      else if (step.kind === 'directories') {
        next.add(state | 1);
        if (character === '/') enter(next, (state | 1) + 1, steps);
      } else if (step.kind === 'name') {
        if (character !== '/') enter(next, state, steps);
      } else if (step.matches(character)) enter(next, state + 2, steps);
    }
    states = next;
    if (states.size === 0) return false;
  }
  return states.has(steps.length * 2);
}

/** Adds a state, and those that need no character from there. */
function enter(states: Set<number>, state: number, steps: readonly Step[]): Set<number> {
  for (let at = state; ; at += 2) {
    states.add(at);
    const kind = steps[at >> 1]?.kind;
    if (kind === undefined || kind === 'character') return states;
  }
}

function invalid(pattern: string, why: string): never {
  throw new BuildError(
    'ERR_OCI_IGNORE_PATTERN_INVALID',
    `the pattern ${JSON.stringify(pattern)} is invalid: ${why}`,
    {
      hint: 'a backslash takes the meaning from the next character',
    },
  );
}
