import { check, cString, declare, type Path } from './library.ts';

const fchownatFunction = declare(
  'int fchownat(int fd, const char *path, unsigned int uid, unsigned int gid, int flags)',
);
const fchmodatFunction = declare('int fchmodat(int fd, const char *path, unsigned int mode, int flags)');
const fchmodFunction = declare('int fchmod(int fd, unsigned int mode)');
const utimensatFunction = declare('int utimensat(int fd, const char *path, void *times, int flags)');
const futimensFunction = declare('int futimens(int fd, void *times)');

/** Who is to own a file; 4294967295 leaves that half as it is. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Access and modification time in nanoseconds since 1970; may be negative. */
export interface FileTimes {
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
}

/** `flags`: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH. */
export interface AtFlags {
  readonly flags?: number;
}

/** fchownat(2). Clears the set-id bits of files, so change the mode after it. Throws {@link SystemCallError}. */
export function fchownat(directory: number, path: Path, options: Owner & AtFlags): void {
  const result = fchownatFunction(
    directory,
    cString(path, 'fchownat'),
    options.uid,
    options.gid,
    options.flags ?? 0,
  );
  check(result, { syscall: 'fchownat', path });
}

/** fchmodat(2), which follows symbolic links: refuse links before. Throws {@link SystemCallError}. */
export function fchmodat(directory: number, path: Path, options: { readonly mode: number } & AtFlags): void {
  const result = fchmodatFunction(directory, cString(path, 'fchmodat'), options.mode, options.flags ?? 0);
  check(result, { syscall: 'fchmodat', path });
}

/** fchmod(2); EBADF for O_PATH descriptors. Throws {@link SystemCallError}. */
export function fchmod(fd: number, options: { readonly mode: number }): void {
  check(fchmodFunction(fd, options.mode), { syscall: 'fchmod' });
}

/** utimensat(2) with exact nanoseconds. Throws {@link SystemCallError}. */
export function utimensat(directory: number, path: Path, options: FileTimes & AtFlags): void {
  const result = utimensatFunction(
    directory,
    cString(path, 'utimensat'),
    timespecs(options),
    options.flags ?? 0,
  );
  check(result, { syscall: 'utimensat', path });
}

/** futimens(3) with exact nanoseconds; EBADF for O_PATH descriptors. Throws {@link SystemCallError}. */
export function futimens(fd: number, times: FileTimes): void {
  check(futimensFunction(fd, timespecs(times)), { syscall: 'futimens' });
}

const timesScratch = Buffer.alloc(32);
const second = 1_000_000_000n;

/** Two struct timespec, in memory that the next call reuses. Seconds round down, so that nanoseconds stay positive. */
function timespecs({ atimeNs, mtimeNs }: FileTimes): Buffer {
  writeTimespec(mtimeNs, 16);
  if (atimeNs === mtimeNs) timesScratch.copyWithin(0, 16);
  else writeTimespec(atimeNs, 0);
  return timesScratch;
}

function writeTimespec(time: bigint, offset: number): void {
  const seconds = time / second;
  const nanoseconds = Number(time - seconds * second);
  const before = nanoseconds < 0;
  timesScratch.writeBigInt64LE(before ? seconds - 1n : seconds, offset);
  timesScratch.writeUInt32LE(before ? nanoseconds + 1_000_000_000 : nanoseconds, offset + 8);
}
