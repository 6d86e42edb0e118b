import { MAX_EXPANDED_CHARACTERS, MAX_EXPANSION_DEPTH } from '../../limits.ts';
import { WordError } from './error.ts';
import { applyModifier, applyReplacement } from './modifiers.ts';
import { createCharacterScanner } from './scanner.ts';
import { createWordCollector } from './split.ts';

/** The character that takes the meaning from the next one, and continues lines. */
export type EscapeCharacter = '\\' | '`';

export interface ExpandOptions {
  readonly escape?: EscapeCharacter;
  readonly variables: ReadonlyMap<string, string>;
  /** Leaves the quotes where they are. */
  readonly keepQuotes?: boolean;
  /** Quotes are characters like any other, as in a heredoc. */
  readonly plainQuotes?: boolean;
  /** Leaves the escape characters where they are. */
  readonly keepEscapes?: boolean;
  /** Leaves variables that are not set as they are written, instead of an empty text. */
  readonly keepUnset?: boolean;
}

export interface Expansion {
  readonly text: string;
  /** The text, split at the white space that was not quoted; empty words do not count. */
  readonly words: readonly string[];
  /** The names that were found. */
  readonly used: ReadonlySet<string>;
  /** The names that were asked for and are not set. */
  readonly unset: ReadonlySet<string>;
}

const SPECIAL_PARAMETERS = new Set('@*#?-$!');

/**
 * Replaces variables in a word of a Dockerfile and takes its quotes and escapes away, as BuildKit does: `$name`, `${name}`,
 * `${name:-word}`, `:+`, `:?` and these without the colon, `#`, `##`, `%`, `%%`, `/pattern/new`, `//pattern/new`.
 *
 * @throws WordError with the offset, when a quote or brace is left open, an operator is unknown, or `?` demands a value.
 */
export function expandWord(source: string, options: ExpandOptions): Expansion {
  const {
    escape: escapeCharacter = '\\',
    variables,
    keepQuotes = false,
    plainQuotes = false,
    keepEscapes = false,
    keepUnset = false,
  } = options;
  const scanner = createCharacterScanner(source);
  const used = new Set<string>();
  const unset = new Set<string>();
  let size = 0;

  const fail = (message: string): never => {
    throw new WordError(message, scanner.offset());
  };
  const grow = (text: string): string => {
    size += text.length;
    return size > MAX_EXPANDED_CHARACTERS
      ? fail(`a word may grow to ${MAX_EXPANDED_CHARACTERS} characters`)
      : text;
  };
  const look = (name: string): string | undefined => {
    const value = variables.get(name);
    (value === undefined ? unset : used).add(name);
    return value;
  };

  function readUntil(
    stop: string | undefined,
    depth: number,
    rawEscapes = keepEscapes,
  ): { readonly text: string; readonly words: readonly string[] } {
    if (depth > MAX_EXPANSION_DEPTH) fail(`variables may be nested ${MAX_EXPANSION_DEPTH} deep`);
    const collector = createWordCollector();
    const parts: string[] = [];
    for (let character = scanner.peek(); character !== undefined; character = scanner.peek()) {
      if (character === stop) {
        scanner.next();
        return { text: parts.join(''), words: collector.words() };
      }
      if (character === '$') {
        const value = grow(dollar(depth));
        parts.push(value);
        collector.add(value);
      } else if (!plainQuotes && (character === "'" || character === '"')) {
        const value = character === "'" ? singleQuoted() : doubleQuoted(depth);
        parts.push(value);
        collector.addWhole(value);
      } else if (character === '<' && stop === undefined) {
        const value = possibleHeredoc();
        parts.push(value);
        collector.addWhole(value);
      } else {
        scanner.next();
        if (character === escapeCharacter) {
          const escaped = `${rawEscapes ? escapeCharacter : ''}${scanner.next() ?? ''}`;
          parts.push(escaped);
          collector.addWhole(escaped);
        } else {
          parts.push(character);
          collector.add(character);
        }
      }
    }
    if (stop !== undefined) fail(`missing '${stop}'`);
    return { text: parts.join(''), words: collector.words() };
  }

  function singleQuoted(): string {
    scanner.next();
    let text = '';
    for (let character = scanner.next(); character !== "'"; character = scanner.next()) {
      if (character === undefined) return fail('a single quote is left open');
      text += character;
    }
    return keepQuotes ? `'${text}'` : text;
  }

  function doubleQuoted(depth: number): string {
    scanner.next();
    let text = '';
    for (;;) {
      const character = scanner.peek();
      if (character === undefined) return fail('a double quote is left open');
      if (character === '$') {
        text += grow(dollar(depth));
        continue;
      }
      scanner.next();
      if (character === '"') return keepQuotes ? `"${text}"` : text;
      if (character !== escapeCharacter) {
        text += character;
        continue;
      }
      const next = scanner.peek();
      if (next === undefined) continue;
      const takesMeaning = next === '"' || next === '$' || next === escapeCharacter;
      if (keepEscapes || !takesMeaning) text += escapeCharacter;
      if (takesMeaning) text += scanner.next() ?? '';
    }
  }

  /** `<<` and the name after it are one word, also with blanks between them. */
  function possibleHeredoc(): string {
    scanner.next();
    if (scanner.peek() !== '<') return '<';
    scanner.next();
    let text = '<<';
    while (/^[ \t]$/.test(scanner.peek() ?? '')) text += scanner.next() ?? '';
    return text;
  }

  function name(): string {
    const first = scanner.peek() ?? '';
    const digit = /\d/.test(first);
    if (!digit && SPECIAL_PARAMETERS.has(first)) return scanner.next() ?? '';
    const part = digit ? /\d/ : /[\p{L}\p{Nd}_]/u;
    let text = '';
    while (part.test(scanner.peek() ?? '')) text += scanner.next() ?? '';
    return text;
  }

  function dollar(depth: number): string {
    scanner.next();
    if (scanner.peek() !== '{') {
      const plain = name();
      if (plain === '') return '$';
      return look(plain) ?? (keepUnset ? `$${plain}` : '');
    }
    scanner.next();
    if (scanner.peek() === undefined) fail("missing '}'");
    if (/^[{}:]$/.test(scanner.peek() ?? '')) fail('bad substitution');
    const variable = name();
    const operator = scanner.next();
    if (operator === undefined) return fail("missing '}'");
    if (operator === '}') return look(variable) ?? (keepUnset ? `\${${variable}}` : '');
    if (operator === '/') {
      const all = scanner.peek() === '/';
      if (all) scanner.next();
      const pattern = readUntil('/', depth + 1, true).text;
      const replacement = readUntil('}', depth + 1, true).text;
      const value = look(variable);
      if (value === undefined && keepUnset)
        return `\${${variable}${all ? '//' : '/'}${pattern}/${replacement}}`;
      return applyReplacement(value ?? '', { pattern, replacement, all });
    }
    const colon = operator === ':';
    const modifier = colon ? scanner.next() : operator;
    if (modifier === undefined) return fail("missing '}'");
    const trims = modifier === '#' || modifier === '%';
    if (!/^[-+?#%]$/.test(modifier) || (colon && trims))
      fail(`unsupported modifier (${colon ? ':' : ''}${modifier}) in substitution`);
    const word = readUntil('}', depth + 1, keepEscapes || trims).text;
    const value = look(variable);
    if (value === undefined && keepUnset) return `\${${variable}${colon ? ':' : ''}${modifier}${word}}`;
    return applyModifier({ name: variable, value, modifier, word, emptyIsUnset: colon }, fail);
  }

  const { text, words } = readUntil(undefined, 0);
  return { text, words, used, unset };
}
