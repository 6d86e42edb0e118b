import { Interrupted } from './errors.ts';
import { ExitCode, exitCodeOfSignal } from './exit-codes.ts';

/** A signal that SIGINT and SIGTERM fire; disposing gives both back to the system. */
export interface Cancellation extends Disposable {
  readonly signal: AbortSignal;
}

/**
 * The first SIGINT or SIGTERM cancels, which lets everything clean up and ends with 130 or 143; the second ends the
 * process at once.
 */
export function createCancellation(): Cancellation {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(exitCodeOfSignal(name) || ExitCode.failure);
    controller.abort(new Interrupted(name === 'SIGTERM' ? 'SIGTERM' : 'SIGINT'));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      process.removeListener('SIGINT', onSignal);
      process.removeListener('SIGTERM', onSignal);
    },
  };
}
