import type { FailedStep } from '@ocijs/build';
import { usageError } from '../errors.ts';

/** Opens a shell where a step has failed, for whoever sits at the terminal. Throws ERR_OCI_USAGE without a terminal. */
export function debugShell(): (step: FailedStep) => Promise<void> {
  if (!process.stdin.isTTY || !process.stdout.isTTY)
    throw usageError('--debug-shell needs a terminal', 'leave it out, or run the build at a terminal');
  return async ({ stage, step, error, run }) => {
    process.stderr.write(
      `${error.message}\nThe shell is where step ${step} of ${stage} failed; nothing it does is kept.\n`,
    );
    await run({ terminal: true });
  };
}
