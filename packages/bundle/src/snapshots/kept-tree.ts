import { createHash } from 'node:crypto';
import { renameSync, rmdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import * as linux from '@ocijs/linux';
import { hasErrno } from '../rootfs/failure.ts';
import { removeDirectoryTree } from '../unpack/remove-directory.ts';

const { AT_FDCWD, O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = linux.constants;

/** Goes up when copies become different from what they were: older trees are not taken any more. */
const version = 1;

/** Where a root file system is to be made, and of what. */
export interface KeptTreeOptions {
  /** The directory of the snapshot of the uppermost layer; the trees are kept in it, and so removed with it. */
  readonly snapshot: string;
  /** An empty directory. */
  readonly rootfs: string;
  /** Makes the top of the root file system what it is at first. */
  readonly prepare: (path: string) => Promise<void>;
}

/**
 * A copy of all layers of an image, kept as a subvolume of btrfs: a snapshot of it is made at once, however many files it
 * has. Its name says from whom and in which surroundings it was made, so that it is only taken where copying would give the
 * same owners, modes and attributes.
 */
export interface KeptTree extends Disposable {
  /** Makes the root file system of the tree. False, and nothing has changed, when there is none. */
  take(): Promise<boolean>;
  /** Makes the directory a subvolume, so that what is copied into it can be kept. False, and it is as it was, when it cannot be. */
  begin(): Promise<boolean>;
  /** Keeps what was copied since {@link begin}; another process may have kept the same already. */
  keep(): void;
}

/** The tree for a root file system; undefined unless it and the snapshots lie on the same btrfs. */
export function openKeptTree({ snapshot, rootfs, prepare }: KeptTreeOptions): KeptTree | undefined {
  using opened = new DisposableStack();
  const open = (path: string): number => {
    const fd = openDirectory(path);
    opened.defer(() => linux.close(fd));
    return fd;
  };
  const kept = open(snapshot);
  const fileSystem = linux.btrfsId(kept);
  if (fileSystem === undefined) return undefined;
  const parent = open(dirname(rootfs));
  if (linux.btrfsId(parent) !== fileSystem) return undefined;
  const name = `tree-${surroundings(parent)}`;
  const made = `.${basename(rootfs)}.new`;
  const path = join(dirname(rootfs), made);
  const held = opened.move();

  function replace(): void {
    rmdirSync(rootfs);
    renameSync(path, rootfs);
  }

  return {
    async take() {
      const tree = openIfThere(join(snapshot, name));
      if (tree === undefined) return false;
      try {
        if (!linux.snapshotSubvolume(tree, { directory: parent, name: made })) return false;
        // A mount may show other owners than those that are on the disk.
        if (!hasOwnersOf(path, tree)) {
          await removeDirectoryTree(path);
          return false;
        }
      } finally {
        linux.close(tree);
      }
      replace();
      return true;
    },
    async begin() {
      if (!linux.createSubvolume({ directory: parent, name: made })) return false;
      await prepare(path);
      replace();
      return true;
    },
    keep() {
      const tree = openIfAllowed(rootfs);
      if (tree === undefined) return;
      try {
        linux.snapshotSubvolume(tree, { directory: kept, name });
      } finally {
        linux.close(tree);
      }
    },
    [Symbol.dispose]: () => held.dispose(),
  };
}

/** Everything that files get from whoever makes them, and from the directory that they are made in. */
function surroundings(directory: number): string {
  const { uid, gid, mode } = linux.fstat(directory);
  const attributes = linux
    .flistxattr(directory)
    .sort()
    .map((name) => [name, linux.fgetxattr(directory, name)?.toString('hex')]);
  const flags = linux.inodeFlags(directory);
  const caller = [process.geteuid?.(), process.getegid?.()];
  const all = JSON.stringify([version, caller, uid, gid, mode, flags, attributes]);
  return createHash('sha256').update(all).digest('hex').slice(0, 16);
}

function hasOwnersOf(path: string, tree: number): boolean {
  const [made, kept] = [linux.fstatat(AT_FDCWD, path), linux.fstat(tree)];
  return made.uid === kept.uid && made.gid === kept.gid;
}

function openDirectory(path: string): number {
  return linux.openat(AT_FDCWD, path, { flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW });
}

function openIfThere(path: string): number | undefined {
  try {
    return openDirectory(path);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** A root directory may keep its owner out, and cannot be kept then. */
function openIfAllowed(path: string): number | undefined {
  try {
    return openDirectory(path);
  } catch (error) {
    if (hasErrno(error, 'EACCES')) return undefined;
    throw error;
  }
}
