import { suggest } from '@ocijs/image/suggest';
import { CliError, usageError } from './errors.ts';
import { codeOf } from './exit-codes.ts';

interface ParserFailure {
  readonly message: string;
  readonly flags?: unknown;
  readonly args?: unknown;
  readonly parse?: { readonly input?: { readonly flags?: Readonly<Record<string, unknown>> } };
  readonly oclif?: { readonly exit?: number };
}

/**
 * Turns what oclif's parser throws into a usage error in our form; other errors pass unchanged.
 * Undefined for oclif's way to end early with success, as after `--help`.
 */
export function normalizeUsageError(error: unknown, command = 'COMMAND'): unknown {
  const seeHelp = `see \`oci ${command} --help\``;
  if (codeOf(error) === 'EEXIT' && (error as ParserFailure).oclif?.exit === 0) return undefined;
  const value = invalidValue(error);
  if (value !== undefined) return usageError(value, seeHelp);
  if (!isParserFailure(error)) return error;
  const absent = missingArguments(error);
  if (absent.length > 0) return usageError(`missing ${absent.join(' and ')}`, seeHelp);
  const message = firstLetterLower(withoutHelpRemark(error.message));
  const unknown = Array.isArray(error.flags) ? error.flags.filter((flag) => typeof flag === 'string') : [];
  const flag = unknown[0];
  if (flag === undefined || !message.startsWith('nonexistent flag')) {
    return new CliError('ERR_OCI_USAGE', message, { hint: seeHelp, cause: error.cause });
  }
  const known = Object.keys(error.parse?.input?.flags ?? {});
  // A letter is near to every short word.
  const similar = flag.startsWith('--') ? suggest(flag.slice(2), known) : undefined;
  const hint = similar === undefined ? seeHelp : `did you mean \`--${similar}\`?`;
  return usageError(`unknown flag${unknown.length > 1 ? 's' : ''} ${unknown.join(', ')}`, hint);
}

/** The names of required arguments that were not given, as the help writes them. */
function missingArguments({ message, args }: ParserFailure): readonly string[] {
  if (!message.startsWith('Missing ') || !Array.isArray(args)) return [];
  return args.flatMap((argument: { readonly name?: unknown }) =>
    typeof argument.name === 'string' ? [argument.name.toUpperCase()] : [],
  );
}

/** What the parser says of a value that is no number: `Parsing --time`, and what it expected. */
function invalidValue(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('oclif' in error)) return undefined;
  const [, flag, problem] = /^Parsing (--[\w-]+)\s*\n\s*(.+)/.exec(error.message) ?? [];
  return flag === undefined || problem === undefined ? undefined : `${flag}: ${firstLetterLower(problem)}`;
}

function isParserFailure(error: unknown): error is ParserFailure & Error {
  return error instanceof Error && codeOf(error) === undefined && 'oclif' in error && 'parse' in error;
}

function withoutHelpRemark(message: string): string {
  return message.replace(/\nSee more help with --help$/, '').replaceAll(/\s*\n\s*/g, ' ');
}

function firstLetterLower(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
