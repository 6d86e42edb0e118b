import { constants } from 'node:os';
import { isSystemCallError } from './errors.ts';
import { check, checkUnless, cString, declare, type Path } from './library.ts';

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

const ioctlFunction = declare('int ioctl(int fd, unsigned long request, long argument)');
const copyRangeFunction = declare(
  'long copy_file_range(int source, void *from, int target, void *to, size_t length, unsigned int flags)',
);
const lseekFunction = declare('long lseek(int fd, long offset, int whence)');

const cloneRequest = 0x4004_9409;
const seek = { set: 0, data: 3, hole: 4 } as const;
const { EINVAL, ENOSYS, ENOTTY, ENXIO, EOPNOTSUPP, EPERM, EXDEV } = constants.errno;

/**
 * ioctl(FICLONE): makes the content of `target` that of `source`, sharing its blocks until one of them changes. False
 * where the file system cannot, or the two are on different ones. Throws {@link SystemCallError}.
 */
export function cloneContent(source: number, target: number): boolean {
  const ordinary = [EOPNOTSUPP, EXDEV, EINVAL, ENOTTY, EPERM, ENOSYS];
  return (
    checkUnless(ioctlFunction(target, cloneRequest, source), { ordinary, syscall: 'ioctl' }) !== undefined
  );
}

/** A run of bytes in a file. */
export interface FileRange {
  readonly offset: number;
  readonly length: number;
}

/**
 * The next data of a file from an offset on, which ends at a hole or the end; undefined when there are only holes.
 * Where the file system knows no holes, everything is data. Moves the descriptor's offset. Throws {@link SystemCallError}.
 */
export function nextData(fd: number, offset: number): FileRange | undefined {
  const start = checkUnless(lseekFunction(fd, offset, seek.data), { ordinary: [ENXIO], syscall: 'lseek' });
  if (start === undefined) return undefined;
  const end = check(lseekFunction(fd, start, seek.hole), { syscall: 'lseek' });
  return { offset: start, length: end - start };
}

/**
 * Copies a run of bytes to the same place of another file, in the kernel, with copy_file_range(2). False where it does
 * not between these files, and nothing was copied then. Moves the offsets of both. Throws {@link SystemCallError}.
 */
export function copyRange(source: number, target: number, { offset, length }: FileRange): boolean {
  for (const fd of [source, target]) check(lseekFunction(fd, offset, seek.set), { syscall: 'lseek' });
  for (let left = length; left > 0; ) {
    const copied = checkUnless(copyRangeFunction(source, null, target, null, left, 0), {
      ordinary: left === length ? [EXDEV, EINVAL, EOPNOTSUPP, ENOSYS, EPERM] : [],
      syscall: 'copy_file_range',
    });
    if (copied === undefined) return false;
    // The source became shorter.
    if (copied === 0) return true;
    left -= copied;
  }
  return true;
}
