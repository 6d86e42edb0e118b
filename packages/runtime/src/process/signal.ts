import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { RuntimeError } from '../errors.ts';
import { killTimeout } from '../limits.ts';
import { isAlive, type ProcessIdentity } from './stat.ts';

/** Linux real-time signals are numbered from here for programs that use a C library. */
const realTime = { first: 34, last: 64 } as const;

/**
 * Reads a signal as `kill(1)` does: a number, a name with or without `SIG`, in any case, or `RTMIN+n`, `RTMAX-n`.
 * Throws ERR_OCI_SIGNAL_INVALID.
 */
export function parseSignal(text: string): number {
  const name = text.toUpperCase().replace(/^SIG/, '');
  const relative = /^(RTMIN|RTMAX)(?:([+-])(\d{1,2}))?$/.exec(name);
  const number = /^\d{1,2}$/.test(name)
    ? Number(name)
    : relative === null
      ? (constants.signals as Record<string, number | undefined>)[`SIG${name}`]
      : realTimeSignal(relative);
  if (number === undefined || number < 0 || number > realTime.last) {
    throw new RuntimeError('ERR_OCI_SIGNAL_INVALID', `unknown signal ${JSON.stringify(text)}`, {
      actual: text,
    });
  }
  return number;
}

function realTimeSignal([, base, sign, distance]: RegExpExecArray): number | undefined {
  const number = base === 'RTMIN' ? realTime.first : realTime.last;
  const signal = number + (sign === '-' ? -1 : 1) * Number(distance ?? 0);
  return signal >= realTime.first && signal <= realTime.last ? signal : undefined;
}

/** The name of a signal number, such as `SIGKILL`; `SIG` and the number for one without a name. */
export function signalName(number: number): string {
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  return found?.[0] ?? `SIG${number}`;
}

/**
 * Sends a signal to exactly this process: false when it ended, or when its id belongs to another one now. The start
 * time is compared right before; between both a few microseconds remain, in which the id would have to be
 * given again, after all others were.
 */
export function signalProcess(identity: ProcessIdentity, signal: number): boolean {
  if (!isAlive(identity)) return false;
  try {
    process.kill(identity.pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/**
 * Waits until a process that is not our child has ended, ten seconds at most; false when it has not. A killed
 * process is gone within a millisecond or two, sooner than a pidfd could be set up from here, so this looks again with
 * growing pauses.
 */
export async function waitForEnd(
  identity: ProcessIdentity,
  options: { readonly timeout?: number; readonly signal?: AbortSignal | undefined } = {},
): Promise<boolean> {
  const deadline = Date.now() + (options.timeout ?? killTimeout);
  for (let pause = 1; isAlive(identity); pause = Math.min(pause * 2, 50)) {
    if (Date.now() > deadline) return false;
    await delay(pause, undefined, { signal: options.signal });
  }
  return true;
}
