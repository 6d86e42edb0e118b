import { constants } from 'node:os';
import { ioctl } from './ioctl.ts';
import { checkUnless } from './library.ts';

/** A name that is free, in a directory that is open for reading. */
export interface SubvolumePlace {
  readonly directory: number;
  readonly name: string;
}

const requests = {
  getFlags: 0x8008_6601,
  fileSystem: 0x8400_941f,
  create: 0x5000_940e,
  snapshot: 0x5000_9417,
} as const;
const { EACCES, EDQUOT, EEXIST, EINVAL, ENOSPC, ENOTTY, EOPNOTSUPP, EPERM, EROFS, EXDEV } = constants.errno;

/** A file system without such a request. */
const unknown = [ENOTTY, EOPNOTSUPP, EINVAL];
/** What keeps a snapshot from being made here, whatever it is of. */
const refused = [...unknown, EACCES, EDQUOT, EEXIST, ENOSPC, EPERM, EROFS, EXDEV];

/** The longest name in the structures of both requests, in bytes; each has 4096. */
const nameLimit = 255;
const argumentSize = 4096;

/**
 * Which btrfs a file is on, the same for all of its subvolumes; undefined on other file systems. The descriptor must be
 * open for reading. Throws {@link SystemCallError}.
 */
export function btrfsId(fd: number): string | undefined {
  // struct btrfs_ioctl_fs_info_args, 1024 bytes: largest id, number of devices, UUID.
  const info = Buffer.alloc(1024);
  const found = checkUnless(ioctl(fd, requests.fileSystem, info), { ordinary: unknown, syscall: 'ioctl' });
  return found === undefined ? undefined : info.toString('hex', 16, 32);
}

/** Makes an empty subvolume on btrfs. False where none can be made. Throws {@link SystemCallError}. */
export function createSubvolume({ directory, name }: SubvolumePlace): boolean {
  // struct btrfs_ioctl_vol_args: a descriptor that is of no use here, name.
  const argument = argumentWith(name, 8);
  const result = ioctl(directory, requests.create, argument);
  return checkUnless(result, { ordinary: refused, syscall: 'ioctl', path: name }) !== undefined;
}

/**
 * Makes a snapshot that can be written to of a btrfs subvolume whose top is open for reading, with all that has been
 * written to it. It is there completely or not at all, also after a crash. False where there cannot be one: another file
 * system, somebody else's subvolume, a name that is taken, no space. Throws {@link SystemCallError}.
 */
export function snapshotSubvolume(source: number, { directory, name }: SubvolumePlace): boolean {
  // struct btrfs_ioctl_vol_args_v2: descriptor, transaction, flags, quota group (4 × 8), name.
  const argument = argumentWith(name, 56);
  argument.writeBigInt64LE(BigInt(source), 0);
  const result = ioctl(directory, requests.snapshot, argument);
  return checkUnless(result, { ordinary: refused, syscall: 'ioctl', path: name }) !== undefined;
}

/** What chattr(1) changes, as ioctl(FS_IOC_GETFLAGS) tells; 0 where files have no flags. Throws {@link SystemCallError}. */
export function inodeFlags(fd: number): number {
  const flags = Buffer.alloc(8);
  const found = checkUnless(ioctl(fd, requests.getFlags, flags), { ordinary: unknown, syscall: 'ioctl' });
  return found === undefined ? 0 : flags.readInt32LE(0);
}

function argumentWith(name: string, offset: number): Buffer {
  const argument = Buffer.alloc(argumentSize);
  const bytes = Buffer.from(name);
  if (bytes.length > nameLimit || bytes.includes(0)) throw new RangeError(`no name of a subvolume: ${name}`);
  bytes.copy(argument, offset);
  return argument;
}
