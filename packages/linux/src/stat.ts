import { constants as system } from 'node:os';
import { constants } from './constants.ts';
import { check, checkUnless, cString, declare, type Path } from './library.ts';
import { syscallNumber } from './syscall.ts';

// struct stat differs between architectures and C libraries; struct statx (256 bytes) does not.
const statxFunction = declare(
  'long syscall(long number, long fd, const char *path, long flags, long mask, void *result)',
);
const { errno } = system;
const basicStats = 0x7ff;
const scratch = Buffer.alloc(256);

/** What {@link fstatat} tells. */
export interface FileStatus {
  /** Type and permissions: `mode & S_IFMT` is the type. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly ino: bigint;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  readonly nlink: number;
  /** Of a device node: which device it is. */
  readonly rdevMajor: number;
  readonly rdevMinor: number;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  /** When content or metadata last changed; nobody can set it. */
  readonly ctimeNs: bigint;
}

/**
 * Status of a file, by statx(2). `flags`: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH (with path '' the descriptor itself).
 * Throws {@link SystemCallError}.
 */
export function fstatat(
  directory: number,
  path: Path,
  options: { readonly flags?: number } = {},
): FileStatus {
  check(statx(directory, path, options), { syscall: 'statx', path });
  return status();
}

/** The same; undefined when there is no such file (ENOENT, ENOTDIR). Throws {@link SystemCallError} for the rest. */
export function tryFstatat(
  directory: number,
  path: Path,
  options: { readonly flags?: number } = {},
): FileStatus | undefined {
  const result = statx(directory, path, options);
  return checkUnless(result, { ordinary: missing, syscall: 'statx', path }) === undefined
    ? undefined
    : status();
}

const missing: readonly number[] = [errno.ENOENT, errno.ENOTDIR];

function statx(directory: number, path: Path, { flags = 0 }: { readonly flags?: number }): number {
  return statxFunction(syscallNumber('statx'), directory, cString(path, 'statx'), flags, basicStats, scratch);
}

function status(): FileStatus {
  return {
    nlink: scratch.readUInt32LE(16),
    uid: scratch.readUInt32LE(20),
    gid: scratch.readUInt32LE(24),
    mode: scratch.readUInt16LE(28),
    ino: scratch.readBigUInt64LE(32),
    size: Number(scratch.readBigUInt64LE(40)),
    atimeNs: nanoseconds(64),
    mtimeNs: nanoseconds(112),
    ctimeNs: nanoseconds(96),
    rdevMajor: scratch.readUInt32LE(128),
    rdevMinor: scratch.readUInt32LE(132),
    deviceMajor: scratch.readUInt32LE(136),
    deviceMinor: scratch.readUInt32LE(140),
  };
}

/** Status of an open descriptor, O_PATH included. Throws {@link SystemCallError}. */
export function fstat(fd: number): FileStatus {
  return fstatat(fd, '', { flags: constants.AT_EMPTY_PATH });
}

function nanoseconds(offset: number): bigint {
  return scratch.readBigInt64LE(offset) * 1_000_000_000n + BigInt(scratch.readUInt32LE(offset + 8));
}
