import { constants } from 'node:os';
import * as linux from '@ocijs/linux';
import type { RootfsOperations } from '../operations.ts';
import { isOpaque, isWhiteout, type OverlayForm, statusAt } from './marks.ts';

const { ELOOP, ENOENT, ENOTDIR } = constants.errno;
const { S_IFDIR, S_IFLNK, S_IFMT } = linux.constants;

/** A directory as overlayfs would show it. */
export interface MergedDirectory {
  /** Relative to the root, which has the empty path. Every component is a real directory. */
  readonly path: string;
  /** The descriptor of its part in the layer that is being made; undefined while it has none. */
  upper: number | undefined;
  /** The lower layers that show through, the uppermost first. Without any, there are no whiteouts in it either. */
  lowers: readonly number[];
  uses: number;
}

/** A file of a lower layer. */
export interface LowerFile {
  readonly layer: number;
  readonly path: string;
  readonly status: linux.FileStatus;
}

/** The directories of a stack of layers, merged. */
export interface MergedDirectories {
  readonly root: MergedDirectory;
  /** Opens the directory at `path` below `from`. Throws ENOENT, ENOTDIR, ELOOP as openat2 would. Release it. */
  acquire(from: MergedDirectory, path: string): MergedDirectory;
  release(directory: MergedDirectory): void;
  /** Drops what is known of a directory that was removed, and of those below. */
  forget(path: string): void;
  /** The directories below a path that are known. */
  below(path: string): readonly MergedDirectory[];
}

/** What a path is in the uppermost of some lower layers that has it; undefined when none has, or it is whited out. */
export function findLower(layers: readonly number[], path: string): LowerFile | undefined {
  for (const layer of layers) {
    const status = statusAt(layer, path);
    if (status === undefined) continue;
    return isWhiteout(status) ? undefined : { layer, path, status };
  }
  return undefined;
}

/** The path of a name in a directory. */
export function pathIn({ path }: MergedDirectory, name: string): string {
  if (name === '.') return path === '' ? '.' : path;
  return path === '' ? name : `${path}/${name}`;
}

/** True for directories. */
export function isDirectory({ mode }: linux.FileStatus): boolean {
  return (mode & S_IFMT) === S_IFDIR;
}

/** Starts with the open root of the upper layer, or without one for looking only. The layers' descriptors stay the caller's. */
export function mergeDirectories(
  operations: RootfsOperations,
  upperRoot: number | undefined,
  { lowers, form }: { readonly lowers: readonly number[]; readonly form: OverlayForm },
): MergedDirectories {
  const root: MergedDirectory = { path: '', upper: upperRoot, lowers, uses: 1 };
  const known = new Map<string, MergedDirectory>([['', root]]);

  function keep(directory: MergedDirectory): MergedDirectory {
    directory.uses += 1;
    known.set(directory.path, directory);
    return directory;
  }

  function lowersOf(from: MergedDirectory, path: string): readonly number[] {
    const found: number[] = [];
    for (const layer of from.lowers) {
      const status = statusAt(layer, path);
      if (status === undefined) continue;
      if (!isDirectory(status)) break;
      found.push(layer);
      if (isOpaque(layer, path, form)) break;
    }
    return found;
  }

  function child(from: MergedDirectory, name: string): MergedDirectory {
    const path = pathIn(from, name);
    const before = known.get(path);
    if (before !== undefined) return keep(before);
    const upper = from.upper === undefined ? undefined : statusAt(from.upper, name);
    const status = upper ?? findLower(from.lowers, path)?.status;
    if (status === undefined || isWhiteout(status)) throw failure(ENOENT, path);
    if (!isDirectory(status)) {
      throw failure((status.mode & S_IFMT) === S_IFLNK ? ELOOP : ENOTDIR, path);
    }
    if (upper === undefined || from.upper === undefined)
      return keep({ path, upper: undefined, lowers: lowersOf(from, path), uses: 0 });
    const lowers = isOpaque(from.upper, name, form) ? [] : lowersOf(from, path);
    return keep({ path, upper: operations.openDirectory(from.upper, name), lowers, uses: 0 });
  }

  function acquire(from: MergedDirectory, path: string): MergedDirectory {
    if (path === '' || path === '.') return keep(from);
    const whole = pathIn(from, path);
    const before = known.get(whole);
    if (before !== undefined) return keep(before);
    if (from.lowers.length === 0 && from.upper !== undefined) {
      const upper = operations.openDirectory(from.upper, path);
      return keep({ path: whole, upper, lowers: [], uses: 0 });
    }
    let at = keep(from);
    for (const name of path.split('/')) {
      try {
        const next = child(at, name);
        release(at);
        at = next;
      } catch (error) {
        release(at);
        throw error;
      }
    }
    return at;
  }

  function release(directory: MergedDirectory): void {
    directory.uses -= 1;
    if (directory.uses > 0) return;
    if (known.get(directory.path) === directory) known.delete(directory.path);
    if (directory.upper !== undefined) operations.close(directory.upper);
    directory.upper = undefined;
  }

  function below(path: string): readonly MergedDirectory[] {
    return [...known.values()].filter((other) => path === '' || other.path.startsWith(`${path}/`));
  }

  return {
    root,
    acquire,
    release,
    below,
    forget: (path) => {
      for (const directory of below(path)) known.delete(directory.path);
      known.delete(path);
    },
  };
}

function failure(errno: number, path: string): linux.SystemCallError {
  return new linux.SystemCallError('openat', { errno, path });
}
