import { constants } from 'node:os';

/** What ends a command that is still at work. */
const interruptions = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;

/** What a program may want to tell its container; the rest are faults of this process, or cannot be caught. */
const forwarded = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGTERM',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGCONT',
  'SIGTSTP',
  'SIGTTIN',
  'SIGTTOU',
  'SIGVTALRM',
  'SIGWINCH',
  'SIGIO',
  'SIGPWR',
] as const;

/** Why a command was aborted. */
export class Interruption extends Error {
  readonly exitCode: number;

  constructor(signal: NodeJS.Signals) {
    super(`interrupted by ${signal}`);
    this.name = 'Interruption';
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** What the signals of this process do. */
export interface SignalRouting {
  /** Aborted by the first signal that would end this process, so that the command can clean up. */
  readonly signal: AbortSignal;
  /** From now on, signals go to this process instead. */
  forwardTo(pid: number): void;
  /** Gives the signals their usual meaning again. */
  stop(): void;
}

/** Takes over the signals of this process. */
export function routeSignals(): SignalRouting {
  const controller = new AbortController();
  let receiver: number | undefined;
  const listeners = new Map<NodeJS.Signals, () => void>();
  const listen = (name: NodeJS.Signals): void => {
    if (listeners.has(name)) return;
    const listener = (): void => {
      if (receiver === undefined) controller.abort(new Interruption(name));
      else send(receiver, name);
    };
    listeners.set(name, listener);
    process.on(name, listener);
  };
  for (const name of interruptions) listen(name);
  return {
    signal: controller.signal,
    forwardTo: (pid) => {
      receiver = pid;
      for (const name of forwarded) listen(name);
    },
    stop: () => {
      for (const [name, listener] of listeners) process.removeListener(name, listener);
    },
  };
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // The container ended a moment ago; its exit is on the way.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
