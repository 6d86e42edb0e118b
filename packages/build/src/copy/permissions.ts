import { BuildError } from '../errors.ts';

/** The mode that a file gets, from the one that it has. */
export type ModeChange = (file: { readonly mode: number; readonly isDirectory: boolean }) => number;

/**
 * Reads `--chmod`: octal digits, or chmod's letters (`u=rwX,go=rX`, `+x`, `a-w`).
 *
 * @throws BuildError `ERR_OCI_DOCKERFILE_INVALID` for anything else.
 */
export function parseModeChange(text: string): ModeChange {
  if (/^[0-7]{1,5}$/.test(text)) {
    const mode = Number.parseInt(text, 8);
    if (mode <= 0o7777) return () => mode;
  }
  const clauses = text.split(',').map((clause) => parseClause(clause, text));
  return ({ mode, isDirectory }) => clauses.reduce((now, clause) => clause(now, isDirectory), mode);
}

const shifts: Readonly<Record<string, number>> = { u: 6, g: 3, o: 0 };

function parseClause(clause: string, text: string): (mode: number, isDirectory: boolean) => number {
  const [, who = '', actions = ''] = /^([ugoa]*)((?:[-+=][rwxXstugo]*)+)$/.exec(clause) ?? [];
  if (actions === '')
    throw new BuildError('ERR_OCI_DOCKERFILE_INVALID', `${text} is no file mode`, {
      hint: 'for example 755 or u=rwX,go=rX',
    });
  const classes = who === '' || who.includes('a') ? ['u', 'g', 'o'] : [...new Set(who)];
  const steps = [...actions.matchAll(/([-+=])([rwxXstugo]*)/g)];
  return (start, isDirectory) =>
    steps.reduce((mode, [, operator = '', letters = '']) => {
      let bits = 0;
      let all = 0;
      for (const name of classes) {
        const shift = shifts[name] ?? 0;
        all |= 0o7 << shift;
        bits |= permissionBits(letters, { mode, isDirectory }) << shift;
        if (letters.includes('s') && name === 'u') bits |= 0o4000;
        if (letters.includes('s') && name === 'g') bits |= 0o2000;
      }
      if (letters.includes('t')) bits |= 0o1000;
      if (operator === '+') return mode | bits;
      return operator === '-' ? mode & ~bits : (mode & ~all) | bits;
    }, start);
}

function permissionBits(
  letters: string,
  file: { readonly mode: number; readonly isDirectory: boolean },
): number {
  let bits = 0;
  for (const letter of letters) {
    if (letter === 'r') bits |= 4;
    else if (letter === 'w') bits |= 2;
    else if (letter === 'x') bits |= 1;
    else if (letter === 'X') bits |= file.isDirectory || (file.mode & 0o111) !== 0 ? 1 : 0;
    else if (letter in shifts) bits |= (file.mode >> (shifts[letter] ?? 0)) & 7;
  }
  return bits;
}
