import { constants } from 'node:os';
import type { InitExit } from './types.ts';

/** The name of a signal, such as `SIGKILL`; real-time signals are `SIGRTMIN+N`. */
function signalName(number: number): string {
  const known = Object.entries(constants.signals).find(([, value]) => value === number);
  return known?.[0] ?? `SIGRTMIN+${number - 34}`;
}

/** An exit code and, if a signal ended the process, its number. */
export function exitFrom(exitCode: number, signal: number): InitExit {
  return signal === 0 ? { exitCode } : { exitCode, signal: signalName(signal) };
}

/** Reads a status of wait(2). */
export function exitOf(status: number): InitExit {
  const signal = status & 0x7f;
  return exitFrom(signal === 0 ? (status >> 8) & 0xff : 128 + signal, signal);
}
