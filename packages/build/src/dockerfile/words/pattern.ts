/** Which of the matches of a pattern is taken. */
export type Extent = 'shortest' | 'longest';

/** `*` and `?` of a pattern, or a character that stands for itself. */
type Token = { readonly kind: 'many' | 'one' } | { readonly kind: 'character'; readonly character: string };

/** A shell pattern as BuildKit reads it: a backslash takes the meaning from what follows, brackets have none. */
function parsePattern(pattern: string): readonly Token[] {
  const tokens: Token[] = [];
  const characters = [...pattern];
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index] ?? '';
    if (character === '*') tokens.push({ kind: 'many' });
    else if (character === '?') tokens.push({ kind: 'one' });
    else if (character === '\\' && index + 1 < characters.length)
      tokens.push({ kind: 'character', character: characters[++index] ?? '' });
    else tokens.push({ kind: 'character', character });
  }
  return tokens;
}

/**
 * How many characters from `start` on the tokens match; `undefined` when they do not. All ways through the pattern are
 * followed at once, so that no pattern takes more than its length times the length of the text.
 */
function matchLength(
  characters: readonly string[],
  tokens: readonly Token[],
  { start, extent }: { readonly start: number; readonly extent: Extent },
): number | undefined {
  const advance = (states: ReadonlySet<number>, character: string): Set<number> => {
    const next = new Set<number>();
    for (const state of states) {
      const token = tokens[state];
      if (token?.kind === 'many') next.add(state);
      else if (token?.kind === 'one' || (token?.kind === 'character' && token.character === character))
        next.add(state + 1);
    }
    return passMany(next);
  };
  const passMany = (states: Set<number>): Set<number> => {
    for (const state of states) if (tokens[state]?.kind === 'many') states.add(state + 1);
    return states;
  };
  let found: number | undefined;
  let states = passMany(new Set([0]));
  for (let at = start; ; at++) {
    if (states.has(tokens.length)) {
      found = at - start;
      if (extent === 'shortest') return found;
    }
    const character = characters[at];
    if (character === undefined || states.size === 0) return found;
    states = advance(states, character);
  }
}

/** `value` without what `pattern` matches at its start (`${value#pattern}` and `${value##pattern}`). */
export function removePrefix(value: string, pattern: string, extent: Extent): string {
  const characters = [...value];
  const length = matchLength(characters, parsePattern(pattern), { start: 0, extent });
  return characters.slice(length ?? 0).join('');
}

/** `value` without what `pattern` matches at its end (`${value%pattern}` and `${value%%pattern}`). */
export function removeSuffix(value: string, pattern: string, extent: Extent): string {
  const characters = [...value];
  const tokens = [...parsePattern(pattern)].reverse();
  const length = matchLength([...characters].reverse(), tokens, { start: 0, extent });
  return characters.slice(0, characters.length - (length ?? 0)).join('');
}

/** `value` with what `pattern` matches replaced, the first match or all of them (`${value/pattern/new}` and `//`). */
export function replacePattern(
  value: string,
  pattern: string,
  options: { readonly replacement: string; readonly all: boolean },
): string {
  const characters = [...value];
  const tokens = parsePattern(pattern);
  const parts: string[] = [];
  let at = 0;
  while (at <= characters.length) {
    const length = matchLength(characters, tokens, { start: at, extent: 'longest' });
    if (length !== undefined) {
      parts.push(options.replacement);
      at += length;
      if (!options.all) break;
    }
    // After an empty match, and where nothing matches, one character stays as it is.
    if (length === undefined || length === 0) parts.push(characters[at++] ?? '');
  }
  return parts.join('') + characters.slice(at).join('');
}
