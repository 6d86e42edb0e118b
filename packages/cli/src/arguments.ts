import { suggest } from '@ocijs/image/suggest';
import { BaseCommand, type CommandClass } from './base-command.ts';
import type { CommandLoader } from './commands/index.ts';
import { usageError } from './errors.ts';
import { cutAtPositional } from './run/cut.ts';
import { refuseUnsupported } from './run/unsupported.ts';

type Commands = Readonly<Record<string, CommandLoader>>;

/**
 * Makes the command line fit oclif's parser: an unknown command is refused with a suggestion, a bare `--tls-verify` means
 * true, global flags may stand before the command, and the flags of `run` and `exec` end at their first positional, so that flags of the container's command are left alone.
 */
export async function prepareArguments(argv: readonly string[], commands: Commands): Promise<string[]> {
  const leading = cutAtPositional(argv, BaseCommand.baseFlags);
  const [first, ...own] = leading.positionals;
  if (first === undefined) return [...argv];
  const rest = [...leading.flags, ...own];
  if (first === 'help') return own[0] === undefined ? ['--help'] : [own[0], '--help'];
  const load = commands[first];
  if (load === undefined) throw unknownCommand(first, Object.keys(commands));
  const isCut = first === 'run' || first === 'exec';
  const cut = isCut ? cutAtPositional(rest, flagsOf(await load())) : { flags: rest, positionals: [] };
  if (first === 'run') refuseUnsupported(cut.flags);
  const flags = cut.flags.map((flag) => (flag === '--tls-verify' ? '--tls-verify=true' : flag));
  return [first, ...flags, ...(cut.positionals.length > 0 ? ['--', ...cut.positionals] : [])];
}

function flagsOf(command: CommandClass): CommandClass['flags'] {
  return { ...command.baseFlags, ...command.flags };
}

function unknownCommand(name: string, known: readonly string[]): Error {
  const similar = suggest(name, [...known, 'help', 'version']);
  const hint =
    similar === undefined ? 'see `oci --help` for all commands' : `did you mean \`oci ${similar}\`?`;
  return usageError(`unknown command ${JSON.stringify(name)}`, hint);
}
