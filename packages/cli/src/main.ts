import { COMMANDS } from './commands/index.ts';
import { ExitCode, exitCodeOf } from './exit-codes.ts';
import { packageVersion } from './package.ts';
import { reportFailure } from './render/failure.ts';
import { normalizeUsageError } from './usage.ts';

/**
 * Runs one command line and resolves with the exit code; everything that goes wrong has been reported by then.
 * oclif parses, and explains commands; what it would print about failures is printed here, in one form for people and
 * one for `--json`. Only the command that is asked for is loaded.
 */
export async function main(argv: readonly string[]): Promise<number> {
  ignoreClosedPipes();
  if (argv[0] === '--version' || argv[0] === 'version') {
    process.stdout.write(`oci ${packageVersion()}\n`);
    return ExitCode.ok;
  }
  // The package says which Node it needs, and bin/oci.js has looked.
  process.env['OCLIF_DISABLE_ENGINE_WARNING'] ??= '1';
  // Silences oclif's remarks about development mode, which are meant for authors of oclif commands.
  process.env['NODE_ENV'] ??= 'production';
  let prepared: readonly string[] = argv;
  try {
    if (isOverview(argv)) {
      const { showHelp } = await import('./help/show.ts');
      await showHelp();
      return ExitCode.ok;
    }
    // Loaded here, so that `--version` costs no more than starting Node.
    const { prepareArguments } = await import('./arguments.ts');
    prepared = await prepareArguments(argv, COMMANDS);
    const [name, ...rest] = prepared;
    const load = name === undefined ? undefined : COMMANDS[name];
    if (load === undefined || asksForHelp(rest)) {
      const { showHelp } = await import('./help/show.ts');
      await showHelp(name);
      return ExitCode.ok;
    }
    const { oclifConfig } = await import('./oclif.ts');
    const command = await load();
    await command.execute(rest, oclifConfig());
    return typeof process.exitCode === 'number' ? process.exitCode : ExitCode.ok;
  } catch (error) {
    const failure = normalizeUsageError(error, prepared[0]);
    if (failure === undefined) return ExitCode.ok;
    await reportFailure(failure, { json: beforeEndOfFlags(prepared).includes('--json') });
    return exitCodeOf(failure, prepared[0]);
  }
}

/** Known without a parser, so that the first thing that people type is answered at once. */
function isOverview([first, ...rest]: readonly string[]): boolean {
  return first === undefined || (rest.length === 0 && ['--help', '-h', 'help'].includes(first));
}

function asksForHelp(argv: readonly string[]): boolean {
  return beforeEndOfFlags(argv).some((argument) => argument === '--help' || argument === '-h');
}

function beforeEndOfFlags(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf('--');
  return end < 0 ? argv : argv.slice(0, end);
}

/** A reader that closes early (`oci images | head`) is no failure of ours; a full disk is one. */
function ignoreClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(ExitCode.ok);
      // There may be nowhere left to say so.
      if (stream === process.stdout) {
        const meaning = error.code === 'ENOSPC' ? 'no space left on the disk' : error.message;
        process.stderr.write(`error: standard output cannot be written: ${meaning}\n`);
      }
      process.exit(ExitCode.failure);
    });
  }
}
