import { constants as system } from 'node:os';
import { constants } from '../constants.ts';
import { declare, errnoOf } from '../library.ts';
import { syscallNumber } from '../syscall.ts';
import { type Answer, answerOf } from './answer.ts';

const openatFunction = declare('int openat(int fd, const char *path, int flags, unsigned int mode)');
const openat2Function = declare(
  'long syscall(long number, long fd, const char *path, void *how, size_t size)',
);
const closeFunction = declare('int close(int fd)');
const readlinkFunction = declare('long readlinkat(int fd, const char *path, void *text, size_t size)');
const statFunction = declare(
  'long syscall(long number, long fd, const char *path, void *result, long flags)',
);
const statxFunction = declare(
  'long syscall(long number, long fd, const char *path, long flags, long mask, void *result)',
);
const fstatfsFunction = declare('int fstatfs(int fd, void *result)');
const chmodFunction = declare('int chmod(const char *path, unsigned int mode)');
const getFunction = declare('long getxattr(const char *path, const char *name, void *value, size_t size)');
const setFunction = declare(
  'int setxattr(const char *path, const char *name, const void *value, size_t size, int flags)',
);
const preadFunction = declare('long pread(int fd, void *bytes, size_t length, long position)');
const pwriteFunction = declare('long pwrite(int fd, const void *bytes, size_t length, long position)');

/** A path: well-formed text without NUL, or bytes that end with NUL. */
export type CPath = string | Uint8Array;

/** openat(2) with O_CLOEXEC. */
export function answerOpenat(directory: number, path: CPath, flags: number): Answer {
  return answerOf(openatFunction(directory, path, flags | constants.O_CLOEXEC, 0));
}

const how = Buffer.alloc(24);

/** openat2(2) with O_CLOEXEC. */
export function answerOpenat2(
  directory: number,
  path: CPath,
  { flags, resolve }: { readonly flags: number; readonly resolve: number },
): Answer {
  how.writeUInt32LE(flags | constants.O_CLOEXEC, 0);
  how.writeUInt32LE(resolve, 16);
  return answerOf(openat2Function(syscallNumber('openat2'), directory, path, how, how.length));
}

/** close(2), of whose failures nobody has to know. */
export function closeQuietly(fd: number): void {
  if (fd >= 0) closeFunction(fd);
}

const linkText = Buffer.alloc(4096);

/** What the symbolic link that an O_PATH descriptor stands for says; undefined for what is none. */
export function linkOf(fd: number): Buffer | undefined {
  const length = readlinkFunction(fd, '', linkText, linkText.length);
  return length < 0 ? undefined : Buffer.from(linkText.subarray(0, length));
}

/** The size of the kernel's `struct stat` on this processor, and where its owner is, in bytes. */
export const kernelStat = (
  process.arch === 'arm64' ? { size: 128, uid: 24, gid: 28 } : { size: 144, uid: 28, gid: 32 }
) as { readonly size: number; readonly uid: number; readonly gid: number };

/** The size of `struct statx`, and where its owner is, in bytes. */
export const kernelStatx = { size: 256, uid: 20, gid: 24 } as const;

/** fstat(2), as the kernel lays out its result, which is not what libc does. */
export function answerStat(fd: number, result: Buffer): Answer {
  return answerOf(statFunction(syscallNumber('newfstatat'), fd, '', result, constants.AT_EMPTY_PATH));
}

/** statx(2) of a descriptor. */
export function answerStatx(
  fd: number,
  { flags, mask, result }: { readonly flags: number; readonly mask: number; readonly result: Buffer },
): Answer {
  const own = flags | constants.AT_EMPTY_PATH;
  return answerOf(statxFunction(syscallNumber('statx'), fd, '', own, mask, result));
}

const identityMask = 0x1fff;
const status = Buffer.alloc(256);

/** Which file a descriptor stands for, and what must be known to change its owner. */
export interface FileIdentity {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Tells the file from all others, also from one that gets its number later, where the file system knows when files were made. */
  readonly file: string;
  /** Tells the mount by which it was reached as well. */
  readonly place: string;
}

/** Looks at a descriptor, O_PATH included. Undefined when it cannot be looked at. */
export function identityOf(fd: number): FileIdentity | undefined {
  if (answerStatx(fd, { flags: 0, mask: identityMask, result: status }) < 0) return undefined;
  const number = status.readBigUInt64LE(32);
  const device = `${status.readUInt32LE(136)}:${status.readUInt32LE(140)}`;
  const hasBirth = (status.readUInt32LE(0) & 0x800) !== 0;
  const birth = hasBirth ? `${status.readBigInt64LE(80)}.${status.readUInt32LE(88)}` : '';
  return {
    mode: status.readUInt16LE(28),
    uid: status.readUInt32LE(20),
    gid: status.readUInt32LE(24),
    file: `${device}:${number}:${birth}`,
    place: `${device}:${number}:${status.readBigUInt64LE(144)}`,
  };
}

const statfsResult = Buffer.alloc(256);

/** What kind of file system a descriptor is on, and whether its mount is read-only. Undefined when it cannot be asked. */
export function fileSystemOf(
  fd: number,
): { readonly magic: number; readonly isReadOnly: boolean } | undefined {
  if (fstatfsFunction(fd, statfsResult) < 0) return undefined;
  return { magic: statfsResult.readUInt32LE(0), isReadOnly: (statfsResult.readUInt32LE(80) & 1) !== 0 };
}

/** chmod(2), which follows links. */
export function answerChmod(path: CPath, mode: number): Answer {
  return answerOf(chmodFunction(path, mode));
}

const value = Buffer.alloc(64);

/**
 * A short extended attribute of a path, which is followed. `none` when it has none, or can have none; `unknown` when it may have
 * one that is longer, or that may not be read.
 */
export function shortAttribute(path: CPath, name: CPath): Buffer | 'none' | 'unknown' {
  const length = getFunction(path, name, value, value.length);
  if (length >= 0) return Buffer.from(value.subarray(0, length));
  return absent.includes(errnoOf()) ? 'none' : 'unknown';
}

const { ENODATA, ENOTSUP, EPERM } = system.errno;
const absent: readonly number[] = [ENODATA, ENOTSUP, EPERM];

/** setxattr(2), which follows links. */
export function answerSetAttribute(path: CPath, name: CPath, bytes: Uint8Array): Answer {
  return answerOf(setFunction(path, name, bytes, bytes.length, 0));
}

/** pread(2), once. */
export function answerPread(fd: number, bytes: Uint8Array, position: number): Answer {
  return answerOf(preadFunction(fd, bytes, bytes.length, position));
}

/** pwrite(2), once. */
export function answerPwrite(fd: number, bytes: Uint8Array, position: number): Answer {
  return answerOf(pwriteFunction(fd, bytes, bytes.length, position));
}
