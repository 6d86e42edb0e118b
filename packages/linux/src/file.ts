import { isSystemCallError } from './errors.ts';
import { check, cString, declare, type Path } from './library.ts';

const writeFunction = declare('long write(int fd, const void *bytes, size_t length)');
const pwriteFunction = declare('long pwrite(int fd, const void *bytes, size_t length, long position)');
const ftruncateFunction = declare('int ftruncate(int fd, long length)');
const flockFunction = declare('int flock(int fd, int operation)');
const memfdFunction = declare('int memfd_create(const char *name, unsigned int flags)');
const fcntlFunction = declare('int fcntl(int fd, int command, long argument)');

/** write(2), once: returns how many bytes were taken, which may be fewer. Throws {@link SystemCallError}. */
export function write(fd: number, bytes: Uint8Array): number {
  return check(writeFunction(fd, bytes, bytes.length), { syscall: 'write' });
}

/** pwrite(2), once: like {@link write}, at `position` and without moving there. Throws {@link SystemCallError}. */
export function pwrite(fd: number, bytes: Uint8Array, position: number): number {
  return check(pwriteFunction(fd, bytes, bytes.length, position), { syscall: 'pwrite' });
}

/** ftruncate(2); growing leaves a hole. Throws {@link SystemCallError}. */
export function ftruncate(fd: number, length: number): void {
  check(ftruncateFunction(fd, length), { syscall: 'ftruncate' });
}

/** How {@link flock} locks. */
export interface LockOptions {
  readonly exclusive: boolean;
  /** Fail with EAGAIN instead of blocking the thread. */
  readonly nonblock?: boolean;
}

/** flock(2); the lock ends when the last copy of the descriptor is closed. Throws {@link SystemCallError}. */
export function flock(fd: number, { exclusive, nonblock = false }: LockOptions): void {
  const operation = (exclusive ? 2 : 1) | (nonblock ? 4 : 0);
  for (;;) {
    try {
      check(flockFunction(fd, operation), { syscall: 'flock' });
      return;
    } catch (error) {
      if (!isSystemCallError(error, 'EINTR')) throw error;
    }
  }
}

/** memfd_create(2): a file in memory; `name` is for /proc only. Throws {@link SystemCallError}. */
export function memfdCreate(name: Path, options: { readonly flags: number }): number {
  return check(memfdFunction(cString(name, 'memfd_create'), options.flags), { syscall: 'memfd_create' });
}

const addSeals = 1033;
const getFlags = 1;
const setFlags = 2;

/** fcntl(F_ADD_SEALS) on a memfd. Throws {@link SystemCallError}. */
export function fcntlAddSeals(fd: number, seals: number): void {
  check(fcntlFunction(fd, addSeals, seals), { syscall: 'fcntl' });
}

/** Whether a descriptor stays open in a program that is executed. Throws {@link SystemCallError}. */
export function setCloseOnExec(fd: number, options: { readonly closeOnExec: boolean }): void {
  const flags = check(fcntlFunction(fd, getFlags, 0), { syscall: 'fcntl' });
  check(fcntlFunction(fd, setFlags, options.closeOnExec ? flags | 1 : flags & ~1), { syscall: 'fcntl' });
}
