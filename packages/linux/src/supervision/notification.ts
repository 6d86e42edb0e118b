import { constants } from 'node:os';
import { check, declare, errnoOf } from '../library.ts';
import { syscallNumber } from '../syscall.ts';

const ioctlFunction = declare('int ioctl(int fd, unsigned long request, void *argument)');
const ioctlNumber = declare('int ioctl(int fd, unsigned long request, long argument)');
const seccompFunction = declare('long syscall(long number, long operation, long flags, void *argument)');

const requests = { receive: 0xc050_2100, send: 0xc018_2101, isValid: 0x4008_2102, setFlags: 0x4008_2104 };
const { EFAULT, EINTR, ENOENT } = constants.errno;

const setFilter = 1;
const newListener = 8;
const waitKillable = 32;
const continueFlag = 1;
const synchronousWake = 1;

/** How many bytes of `struct seccomp_notif` there are. */
export const notificationSize = 80;

/** Where fields of `struct seccomp_notif` lie, in bytes. */
export const notificationField = { pid: 8, number: 16, architecture: 20, arguments: 32 } as const;

/**
 * True when the kernel can hand on system calls (Linux 5.0), and lets no signal disturb one that was received (Linux 5.19).
 * Changes nothing.
 */
export function canNotify(): boolean {
  const result = seccompFunction(syscallNumber('seccomp'), setFilter, newListener | waitKillable, null);
  return result < 0 && errnoOf() === EFAULT;
}

/** Lets sender and receiver run one after the other on a processor, where the kernel can (Linux 6.6). */
export function wakeSynchronously(listener: number): void {
  ioctlNumber(listener, requests.setFlags, synchronousWake);
}

/**
 * Receives a notification; waits for one. False when the process that it came from was killed meanwhile. Throws
 * {@link SystemCallError} for a descriptor that is no listener.
 */
export function receiveNotification(listener: number, notification: Buffer): boolean {
  notification.fill(0, 0, notificationSize);
  if (ioctlFunction(listener, requests.receive, notification) >= 0) return true;
  const errno = errnoOf();
  if (errno === ENOENT || errno === EINTR) return false;
  check(-1, { syscall: 'ioctl' });
  return false;
}

/** True while the process still waits for the answer: only then its id is its own. */
export function isNotificationValid(listener: number, notification: Buffer): boolean {
  return ioctlFunction(listener, requests.isValid, notification) >= 0;
}

const response = Buffer.alloc(24);

/** Answers: undefined lets the kernel make the call, 0 is success, and what is below 0 an errno. */
export function answerNotification(listener: number, notification: Buffer, answer: number | undefined): void {
  notification.copy(response, 0, 0, 8);
  response.fill(0, 8, 16);
  response.writeInt32LE(answer ?? 0, 16);
  response.writeUInt32LE(answer === undefined ? continueFlag : 0, 20);
  // Whoever asked may have been killed.
  ioctlFunction(listener, requests.send, response);
}
