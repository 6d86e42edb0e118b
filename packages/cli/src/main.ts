import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ExitCode, exitCodeOf } from './exit-codes.ts';
import { reportFailure } from './render/failure.ts';
import { normalizeUsageError } from './usage.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Runs one command line and resolves with the exit code; everything that goes wrong has been reported by then.
 * oclif parses and helps; what it would print about failures is printed here, in one form for people and one for `--json`.
 */
export async function main(argv: readonly string[]): Promise<number> {
  ignoreClosedPipes();
  if (argv[0] === '--version' || argv[0] === 'version') {
    const { version } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as { version: string };
    process.stdout.write(`oci ${version}\n`);
    return ExitCode.ok;
  }
  // Silences oclif's remarks about development mode, which are meant for authors of oclif commands.
  process.env['NODE_ENV'] ??= 'production';
  // oclif asks the system for the user's shell when it is not told, and fails for a user the system does not know.
  process.env['SHELL'] ??= '/bin/sh';
  let prepared: readonly string[] = argv;
  try {
    // Loaded here, so that `--version` costs no more than starting Node.
    const { prepareArguments } = await import('./arguments.ts');
    const { COMMANDS } = await import('./commands/index.ts');
    const { run } = await import('@oclif/core');
    prepared = prepareArguments(argv, COMMANDS);
    await run([...prepared], { root, userPlugins: false, devPlugins: false });
    return typeof process.exitCode === 'number' ? process.exitCode : ExitCode.ok;
  } catch (error) {
    const failure = normalizeUsageError(error, prepared[0]);
    if (failure === undefined) return ExitCode.ok;
    await reportFailure(failure, { json: beforeEndOfFlags(prepared).includes('--json') });
    return exitCodeOf(failure, prepared[0]);
  }
}

function beforeEndOfFlags(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf('--');
  return end < 0 ? argv : argv.slice(0, end);
}

/** A reader that closes early (`oci images | head`) is no failure of ours. */
function ignoreClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      process.exit(ExitCode.ok);
    });
  }
}
