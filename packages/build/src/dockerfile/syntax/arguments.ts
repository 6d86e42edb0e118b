/** Arguments, as the grammar of their instruction splits them. */
export interface Arguments {
  /** In the order written. `NAME=value` pairs are three entries: name, value, and `=` (or nothing in the old form `NAME value`). */
  readonly values: readonly string[];
  /** Written as a JSON array. */
  readonly json: boolean;
}

/** A mistake in arguments, before anybody knows where they stand. */
export class ArgumentError extends Error {}

/** Reads the arguments of one kind of instruction. */
export type ArgumentParser = (rest: string, escapeCharacter: string) => Arguments;

const plain = (values: readonly string[]): Arguments => ({ values, json: false });

/** Everything is one argument. */
export const wholeText: ArgumentParser = (rest) => plain(rest === '' ? [] : [rest]);

/** White space separates, nothing is quoted. */
export const separated: ArgumentParser = (rest) => plain(rest === '' ? [] : rest.trim().split(/\s+/));

/** A JSON array of strings, or the whole text for a shell. */
export const jsonOrText: ArgumentParser = (rest) => jsonArray(rest) ?? wholeText(rest, '');

/** A JSON array of strings, or words that white space separates. */
export const jsonOrSeparated: ArgumentParser = (rest) => jsonArray(rest) ?? separated(rest, '');

/** Words, in which quotes and escapes may hold white space; both are kept. */
export const quotedWords: ArgumentParser = (rest, escapeCharacter) =>
  plain(splitQuoted(rest, escapeCharacter));

/** `name=value …`, or the old form `name the rest`. */
export const namesAndValues: ArgumentParser = (rest, escapeCharacter) => {
  const words = splitQuoted(rest, escapeCharacter);
  if (words.length === 0) return plain([]);
  if (!words[0]?.includes('=')) {
    const [, name = '', value] = /^(\S+)\s+(.*)$/s.exec(rest) ?? [];
    if (value === undefined) throw new ArgumentError('needs a name and a value');
    return plain([name, value, '']);
  }
  return plain(
    words.flatMap((word) => {
      const at = word.indexOf('=');
      if (at < 0) throw new ArgumentError(`${JSON.stringify(word)} has no =; write name=value`);
      return [word.slice(0, at), word.slice(at + 1), '='];
    }),
  );
};

/** `NONE`, or `CMD` with a command of either form. */
export const healthcheck: ArgumentParser = (rest, escapeCharacter) => {
  const [, kind = '', command = ''] = /^(\S*)\s*(.*)$/s.exec(rest) ?? [];
  const { values, json } = jsonOrText(command, escapeCharacter);
  return { values: kind === '' ? [] : [kind, ...values], json };
};

/**
 * A JSON array of strings; `undefined` for what is no JSON array at all, which is a command for a shell then.
 *
 * @throws ArgumentError for an array that holds anything but strings.
 */
export function jsonArray(rest: string): Arguments | undefined {
  const text = rest.trim();
  if (!text.startsWith('[')) return undefined;
  let values: unknown;
  try {
    values = JSON.parse(text);
  } catch {
    // Brackets have a meaning for shells, too.
    return undefined;
  }
  if (!Array.isArray(values) || !values.every((value) => typeof value === 'string'))
    throw new ArgumentError('an array of arguments may hold only strings');
  return { values, json: true };
}

function splitQuoted(rest: string, escapeCharacter: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  const characters = [...rest];
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index] ?? '';
    if (quote === undefined && /\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    word = (word ?? '') + character;
    if (character === quote) quote = undefined;
    else if (quote === undefined && (character === '"' || character === "'")) quote = character;
    else if (character === escapeCharacter && quote !== "'") {
      // What is escaped has no meaning here; at the very end there is nothing to escape.
      word += characters[++index] ?? '';
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}
