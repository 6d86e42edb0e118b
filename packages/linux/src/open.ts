import { constants } from './constants.ts';
import { isSystemCallError } from './errors.ts';
import { available, check, cString, declare, type Path } from './library.ts';
import { syscallNumber } from './syscall.ts';

const openatFunction = declare('int openat(int fd, const char *path, int flags, unsigned int mode)');
const openat2Function = declare(
  'long syscall(long number, long fd, const char *path, void *how, size_t size)',
);
const closeFunction = declare('int close(int fd)');

/** How {@link openat} opens; `mode` only counts with O_CREAT, and the umask applies to it. */
export interface OpenOptions {
  readonly flags: number;
  readonly mode?: number;
}

/** How {@link openat2} opens; `resolve` is a combination of RESOLVE_*. */
export interface Open2Options extends OpenOptions {
  readonly resolve: number;
}

/** openat(2). O_CLOEXEC is always added. Throws {@link SystemCallError}. */
export function openat(directory: number, path: Path, options: OpenOptions): number {
  const flags = options.flags | constants.O_CLOEXEC;
  return check(openatFunction(directory, cString(path, 'openat'), flags, options.mode ?? 0), {
    syscall: 'openat',
    path,
  });
}

/** struct open_how: three 64-bit fields, of which no flag needs the upper half. */
const how = Buffer.alloc(24);

/**
 * openat2(2), with O_CLOEXEC always added. Throws {@link SystemCallError}: EXDEV when the path leaves a
 * RESOLVE_BENEATH directory, ELOOP at a link that `resolve` forbids, EAGAIN when a rename made the answer
 * unsafe (call again), ENOSYS before Linux 5.6.
 */
export function openat2(directory: number, path: Path, options: Open2Options): number {
  how.writeUInt32LE(options.flags | constants.O_CLOEXEC, 0);
  how.writeUInt32LE(options.mode ?? 0, 8);
  how.writeUInt32LE(options.resolve, 16);
  const text = cString(path, 'openat2');
  return check(openat2Function(syscallNumber('openat2'), directory, text, how, how.length), {
    syscall: 'openat2',
    path,
  });
}

/** close(2). EINTR is no failure: Linux has released the descriptor then. */
export function close(fd: number): void {
  try {
    check(closeFunction(fd), { syscall: 'close' });
  } catch (error) {
    if (!isSystemCallError(error, 'EINTR')) throw error;
  }
}

let openat2Works: boolean | undefined;

/** True when the kernel has openat2 and no seccomp filter forbids it (old Docker profiles do, with EPERM). */
export function hasOpenat2(): boolean {
  if (openat2Works === undefined) {
    if (!available()) return false;
    try {
      close(
        openat2(constants.AT_FDCWD, '/', { flags: constants.O_PATH, resolve: constants.RESOLVE_NO_SYMLINKS }),
      );
      openat2Works = true;
    } catch (error) {
      if (!isSystemCallError(error)) throw error;
      openat2Works = false;
    }
  }
  return openat2Works;
}
