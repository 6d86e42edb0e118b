import { RuntimeError } from '../errors.ts';

/** A flag: what follows it, and the single letter that stands for it; a list may be given more than once. */
export interface Flag {
  readonly takes: 'nothing' | 'text' | 'number' | 'list';
  readonly short?: string;
  /** For the help text. */
  readonly about: string;
}

/** Flags by their long names. */
export type Flags = Readonly<Record<string, Flag>>;

/** What was given for a flag. */
export type FlagValue = string | number | true | readonly string[];

/** Flags that were given, by long name, and the words between them. */
export interface ParsedArguments {
  readonly flags: ReadonlyMap<string, FlagValue>;
  readonly words: readonly string[];
}

/** A usage error; its message is what runc would say. */
export function usageError(message: string): RuntimeError {
  return new RuntimeError('ERR_OCI_COMMAND_INVALID', message);
}

function findFlag(flags: Flags, name: string): [string, Flag] {
  const flag = flags[name];
  if (flag !== undefined && Object.hasOwn(flags, name)) return [name, flag];
  const byLetter = Object.entries(flags).find(([, { short }]) => short === name);
  if (byLetter === undefined) throw usageError(`flag provided but not defined: -${name}`);
  return byLetter;
}

function parseBoolean(text: string, name: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false;
  throw usageError(`invalid boolean value ${JSON.stringify(text)} for -${name}: parse error`);
}

function parseNumber(text: string, name: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw usageError(`invalid value ${JSON.stringify(text)} for flag -${name}: parse error`);
}

/**
 * Parses words as programs in Go do: `--name value`, `--name=value`, each also with one dash, `-n` for a flag with a
 * letter, `--` ends the flags. With `interspersed` flags may follow words; otherwise the first word ends
 * them. Throws ERR_OCI_COMMAND_INVALID.
 */
export function parseArguments(
  argv: readonly string[],
  options: { readonly flags: Flags; readonly interspersed: boolean },
): ParsedArguments {
  const given = new Map<string, FlagValue>();
  const words: string[] = [];
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] as string;
    if (word === '--') {
      words.push(...argv.slice(index + 1));
      break;
    }
    const match = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(word);
    if (match === null) {
      words.push(word);
      if (options.interspersed) continue;
      words.push(...argv.slice(index + 1));
      break;
    }
    const [name, flag] = findFlag(options.flags, match[1] as string);
    if (flag.takes === 'nothing') {
      if (match[2] === undefined || parseBoolean(match[2], name)) given.set(name, true);
      else given.delete(name);
      continue;
    }
    let value = match[2];
    if (value === undefined) {
      index += 1;
      value = argv[index];
    }
    if (value === undefined) throw usageError(`flag needs an argument: -${match[1]}`);
    const before = given.get(name);
    if (flag.takes === 'list') given.set(name, [...(Array.isArray(before) ? before : []), value]);
    else given.set(name, flag.takes === 'number' ? parseNumber(value, name) : value);
  }
  return { flags: given, words };
}

/** The text after a flag, if it was given. */
export function textFlag(parsed: ParsedArguments, name: string): string | undefined {
  const value = parsed.flags.get(name);
  return typeof value === 'string' ? value : undefined;
}

/** The number after a flag, if it was given. */
export function numberFlag(parsed: ParsedArguments, name: string): number | undefined {
  const value = parsed.flags.get(name);
  return typeof value === 'number' ? value : undefined;
}

/** The texts after a flag that may be repeated. */
export function listFlag(parsed: ParsedArguments, name: string): readonly string[] {
  const value = parsed.flags.get(name);
  return Array.isArray(value) ? value : [];
}
