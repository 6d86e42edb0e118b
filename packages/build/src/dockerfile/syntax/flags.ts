/** The flags before the arguments, and where the arguments start. */
export interface LeadingFlags {
  /** With the dashes, without quotes and escapes: `--chown=a:b`. */
  readonly flags: readonly string[];
  /** Offset of what follows them. */
  readonly end: number;
}

/** Takes the words that start with `--`; `--` alone ends them. Quotes may stand within a flag and keep their white space. */
export function takeFlags(text: string, escapeCharacter: string): LeadingFlags {
  const flags: string[] = [];
  let at = skipSpace(text, 0);
  while (text.startsWith('--', at)) {
    const { value, end } = takeFlag(text, at, escapeCharacter);
    at = skipSpace(text, end);
    if (value === '--') break;
    flags.push(value);
  }
  return { flags, end: at };
}

function skipSpace(text: string, start: number): number {
  let at = start;
  while (at < text.length && /\s/.test(text.charAt(at))) at++;
  return at;
}

function takeFlag(
  text: string,
  start: number,
  escapeCharacter: string,
): { readonly value: string; readonly end: number } {
  let value = '';
  let quote: string | undefined;
  let at = start;
  for (; at < text.length; at++) {
    const character = text.charAt(at);
    if (quote === undefined && /\s/.test(character)) break;
    if (character === escapeCharacter && at + 1 < text.length) value += text.charAt(++at);
    else if (character === quote) quote = undefined;
    else if (quote === undefined && (character === '"' || character === "'")) quote = character;
    else value += character;
  }
  return { value, end: at };
}
