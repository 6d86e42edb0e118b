import { constants } from 'node:os';
import { check, declare } from './library.ts';
import { syscallNumber } from './syscall.ts';

const pidfd = declare('long syscall(long number, long a, long b, void *c, long d)');
const killFunction = declare('int kill(int pid, int signal)');
const prctlFunction = declare(
  'int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)',
);

/** A signal by name (`SIGTERM`) or number; 0 only asks whether the process is there. */
export type Signal = NodeJS.Signals | number;

/** pidfd_open(2): a descriptor that becomes readable when the process ends. Throws {@link SystemCallError}: ESRCH. */
export function pidfdOpen(pid: number): number {
  return check(pidfd(syscallNumber('pidfdOpen'), pid, 0, null, 0), { syscall: 'pidfd_open' });
}

/** pidfd_send_signal(2): never reaches a process that got the same number later. Throws {@link SystemCallError}. */
export function pidfdSendSignal(fd: number, signal: Signal): void {
  check(pidfd(syscallNumber('pidfdSendSignal'), fd, signalNumber(signal), null, 0), {
    syscall: 'pidfd_send_signal',
  });
}

/** kill(2); a negative pid is a process group. Throws {@link SystemCallError}. */
export function kill(pid: number, signal: Signal): void {
  check(killFunction(pid, signalNumber(signal)), { syscall: 'kill' });
}

/** prctl(2) with numeric arguments; affects this process or, for some options, only this thread. Throws {@link SystemCallError}. */
export function prctl(option: number, argument = 0): number {
  return check(prctlFunction(option, argument, 0, 0, 0), { syscall: 'prctl' });
}

function signalNumber(signal: Signal): number {
  return typeof signal === 'number' ? signal : constants.signals[signal];
}
