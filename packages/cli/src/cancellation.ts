import { Interrupted } from './errors.ts';
import { ExitCode, exitCodeOfSignal } from './exit-codes.ts';

/** How long a signal waits for what is being started, in milliseconds. */
const patienceMs = 2_000;

/** A signal that SIGINT and SIGTERM fire; disposing gives both back to the system. */
export interface Cancellation extends Disposable {
  readonly signal: AbortSignal;
  /**
   * Something is started that is going to get the signals: the first one from now on waits for it, and cancels only when it
   * takes too long.
   */
  hold(): void;
  /** Gives SIGINT and SIGTERM back to the system, and returns the one that waited. */
  release(): readonly NodeJS.Signals[];
}

/**
 * The first SIGINT or SIGTERM cancels, which lets everything clean up and ends with 130 or 143; the second ends the
 * process at once.
 */
export function createCancellation(): Cancellation {
  const controller = new AbortController();
  let isHolding = false;
  let held: { readonly name: NodeJS.Signals; readonly patience: NodeJS.Timeout } | undefined;
  const cancel = (name: NodeJS.Signals): void =>
    controller.abort(new Interrupted(name === 'SIGTERM' ? 'SIGTERM' : 'SIGINT'));
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(exitCodeOfSignal(name) || ExitCode.failure);
    if (isHolding && held === undefined)
      held = { name, patience: setTimeout(cancel, patienceMs, name).unref() };
    else cancel(name);
  };
  const release = (): readonly NodeJS.Signals[] => {
    process.removeListener('SIGINT', onSignal);
    process.removeListener('SIGTERM', onSignal);
    clearTimeout(held?.patience);
    return held === undefined || controller.signal.aborted ? [] : [held.name];
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    hold() {
      isHolding = true;
    },
    release,
    [Symbol.dispose]: () => void release(),
  };
}
