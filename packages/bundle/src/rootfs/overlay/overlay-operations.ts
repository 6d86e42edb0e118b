import { constants } from 'node:os';
import * as linux from '@ocijs/linux';
import { hasErrno } from '../failure.ts';
import type { LinuxOperationsOptions } from '../linux-operations.ts';
import { linuxOperations } from '../linux-operations.ts';
import type { EntryKind, EntryStatus, MetadataTarget, NamedEntry, RootfsOperations } from '../operations.ts';
import { removeTree } from '../remove.ts';
import { createFileCopier } from './copy-file.ts';
import { otherNames } from './link-group.ts';
import {
  isOverlayAttribute,
  isWhiteout,
  listLayer,
  makeWhiteout,
  type OverlayForm,
  opaqueAttribute,
  statusAt,
} from './marks.ts';
import {
  findLower,
  isDirectory,
  type LowerFile,
  type MergedDirectories,
  type MergedDirectory,
  mergeDirectories,
  pathIn,
} from './merged-directories.ts';
import { storedMode } from './stored-mode.ts';

const { AT_FDCWD, O_DIRECTORY, O_NOFOLLOW, O_PATH, S_IFLNK, S_IFMT, S_IFREG } = linux.constants;
const { EEXIST, ENOENT } = constants.errno;

/** What a layer in overlay form is made over. */
export interface OverlayTarget {
  /** The directories of the layers below, the uppermost first. Nothing in them changes. */
  readonly lower: readonly string[];
  readonly form: OverlayForm;
}

/** The effects on an overlay; closes its layers at the end. */
export interface OverlayOperations extends RootfsOperations, Disposable {}

/**
 * Effects on what overlayfs would show if the root were mounted over the lower layers, without mounting anything:
 * lookups see all layers merged, and changes end up in the root alone, in the form that overlayfs wants an upper
 * directory to have. What is removed becomes a whiteout, a directory in its place opaque; whatever changes is
 * copied up with its parents. A file with several names is copied up with all of them, so that they stay one file.
 *
 * Opens one root. A character device 0:0 would be a whiteout, so that it becomes an empty file.
 */
export function overlayOperations(
  { lower, form }: OverlayTarget,
  options: LinuxOperationsOptions = {},
): OverlayOperations {
  const base = linuxOperations(options);
  const layers: number[] = [];
  const copier = createFileCopier(base, { restoreModes: false });
  const opened = new Map<number, MergedDirectory>();
  let merged: MergedDirectories | undefined;
  // Directories are known by numbers that can be taken for no descriptor.
  let lastHandle = -1_000;

  function dispose(): void {
    for (const directory of opened.values()) merged?.release(directory);
    opened.clear();
    for (const fd of layers.splice(0)) linux.close(fd);
    if (merged?.root.upper !== undefined) merged.release(merged.root);
    merged = undefined;
  }

  function all(): MergedDirectories {
    if (merged === undefined) throw new Error('the overlay has no open root');
    return merged;
  }

  function handleOf(directory: MergedDirectory): number {
    lastHandle -= 1;
    opened.set(lastHandle, directory);
    return lastHandle;
  }

  function at(handle: number): MergedDirectory {
    const directory = opened.get(handle);
    if (directory === undefined) throw new Error(`${handle} is no open directory of the overlay`);
    return directory;
  }

  /** The descriptor of a directory's own part in the upper layer, which is made when it has none. */
  function upperOf(directory: MergedDirectory): number {
    if (directory.upper !== undefined) return directory.upper;
    const { path } = directory;
    const slash = path.lastIndexOf('/');
    const name = path.slice(slash + 1);
    const parent = all().acquire(all().root, path.slice(0, Math.max(slash, 0)));
    try {
      const source = findLower(directory.lowers, path);
      if (source === undefined) throw new linux.SystemCallError('openat', { errno: ENOENT, path });
      const upper = upperOf(parent);
      if (statusAt(upper, name) === undefined)
        quietly(upper, () => copier.copy(source, { directory: upper, name }));
      directory.upper = base.openDirectory(upper, name);
      return directory.upper;
    } finally {
      all().release(parent);
    }
  }

  /** Copying up is no change of the directory that anybody sees. */
  function quietly(directory: number, effect: () => void): void {
    const before = linux.fstat(directory);
    effect();
    base.setTimes({ directory, name: '.' }, before);
  }

  function upperStatus(directory: MergedDirectory, name: string): linux.FileStatus | undefined {
    return directory.upper === undefined ? undefined : statusAt(directory.upper, name);
  }

  function lowerFile(directory: MergedDirectory, name: string): LowerFile | undefined {
    return directory.lowers.length === 0 ? undefined : findLower(directory.lowers, pathIn(directory, name));
  }

  function find(directory: MergedDirectory, name: string): linux.FileStatus | undefined {
    const upper = upperStatus(directory, name);
    if (upper === undefined) return lowerFile(directory, name)?.status;
    return directory.lowers.length > 0 && isWhiteout(upper) ? undefined : upper;
  }

  /** Makes a name free in the upper layer; true when a whiteout was there. Throws EEXIST. */
  function vacate(directory: MergedDirectory, name: string): boolean {
    const upper = upperOf(directory);
    if (directory.lowers.length === 0) return false;
    const status = statusAt(upper, name);
    if (status === undefined && lowerFile(directory, name) === undefined) return false;
    if (status === undefined || !isWhiteout(status))
      throw new linux.SystemCallError('openat', { errno: EEXIST, path: pathIn(directory, name) });
    linux.unlinkat(upper, name);
    return true;
  }

  /** The name in the upper layer, copied up if it is not there. */
  function upperEntry({ directory: handle, name }: NamedEntry): NamedEntry {
    const directory = at(handle);
    const upper = upperOf(directory);
    if (name === '.' || directory.lowers.length === 0 || statusAt(upper, name) !== undefined)
      return { directory: upper, name };
    const source = lowerFile(directory, name);
    if (source === undefined)
      throw new linux.SystemCallError('openat', { errno: ENOENT, path: pathIn(directory, name) });
    if (isDirectory(source.status)) {
      const child = all().acquire(directory, name);
      try {
        upperOf(child);
      } finally {
        all().release(child);
      }
    } else {
      quietly(upper, () => copier.copy(source, { directory: upper, name }));
      if (source.status.nlink > 1)
        for (const other of otherNames(source))
          linkCopy(source, { copied: { directory: upper, name }, other });
    }
    return { directory: upper, name };
  }

  /** Gives a file that was copied up another of the names that it has in its layer, if that one can be seen. */
  function linkCopy(
    source: LowerFile,
    { copied, other }: { readonly copied: NamedEntry; readonly other: string },
  ): void {
    const slash = other.lastIndexOf('/');
    const name = other.slice(slash + 1);
    const parent = parentOf(other);
    if (parent === undefined) return;
    try {
      if (upperStatus(parent, name) !== undefined || lowerFile(parent, name)?.layer !== source.layer) return;
      const upper = upperOf(parent);
      quietly(upper, () => base.makeLink(copied, { directory: upper, name }));
    } finally {
      all().release(parent);
    }
  }

  function parentOf(path: string): MergedDirectory | undefined {
    try {
      return all().acquire(all().root, path.slice(0, Math.max(path.lastIndexOf('/'), 0)));
    } catch (error) {
      if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
      throw error;
    }
  }

  function target(wanted: MetadataTarget): MetadataTarget {
    return 'fd' in wanted ? wanted : upperEntry(wanted);
  }

  /** A name to make something at. */
  function fresh({ directory: handle, name }: NamedEntry): NamedEntry {
    const directory = at(handle);
    vacate(directory, name);
    return { directory: upperOf(directory), name };
  }

  function hide(directory: MergedDirectory, name: string): void {
    if (lowerFile(directory, name) !== undefined) makeWhiteout(upperOf(directory), name);
  }

  function makeDirectory({ directory: handle, name }: NamedEntry, mode?: number): void {
    const directory = at(handle);
    const wasHidden = vacate(directory, name);
    const entry = { directory: upperOf(directory), name };
    base.makeDirectory(entry, mode);
    if (wasHidden) base.setAttribute(entry, opaqueAttribute(form), Buffer.from('y'));
  }

  function remove({ directory: handle, name }: NamedEntry, options?: { readonly unlock: boolean }): void {
    const directory = at(handle);
    const status = upperStatus(directory, name);
    const isHidden = status !== undefined && directory.lowers.length > 0 && isWhiteout(status);
    if (isHidden) return;
    all().forget(pathIn(directory, name));
    if (status !== undefined && directory.upper !== undefined)
      removeTree(base, { directory: directory.upper, name }, { unlock: options?.unlock ?? false });
    hide(directory, name);
  }

  function list(handle: number): string[] {
    const directory = at(handle);
    const names = directory.upper === undefined ? [] : base.list(directory.upper);
    const found = new Set(names);
    for (const layer of directory.lowers) {
      for (const name of listLayer(layer, pathIn(directory, '.'))) found.add(name);
    }
    return [...found].filter((name) => directory.lowers.length === 0 || find(directory, name) !== undefined);
  }

  function hideLower(handle: number): void {
    const directory = at(handle);
    // Overlayfs does not look whether a root is opaque.
    if (directory.lowers.length === 0 || directory.path === '') return;
    const upper = upperOf(directory);
    base.setAttribute({ directory: upper, name: '.' }, opaqueAttribute(form), Buffer.from('y'));
    removeWhiteouts(base, upper);
    for (const below of all().below(directory.path)) {
      if (below.upper === undefined) all().forget(below.path);
      below.lowers = [];
    }
    directory.lowers = [];
  }

  function readTarget(wanted: MetadataTarget): MetadataTarget {
    if ('fd' in wanted) return wanted;
    const directory = at(wanted.directory);
    const lowerOnly = wanted.name !== '.' && upperStatus(directory, wanted.name) === undefined;
    const source = lowerOnly || directory.upper === undefined ? lowerFile(directory, wanted.name) : undefined;
    if (source !== undefined) return { directory: source.layer, name: source.path };
    return { directory: upperOf(directory), name: wanted.name };
  }

  // Root can read everything, in a user namespace too.
  const modes = process.geteuid?.() === 0 ? base.setMode : storedMode(base);

  return {
    // An ordinary user's modes are not stored as they are.
    creator: process.geteuid?.() === 0 ? base.creator : undefined,
    openRoot(path) {
      if (merged !== undefined) throw new Error('the overlay has an open root already');
      const upper = base.openRoot(path);
      try {
        for (const directory of lower)
          layers.push(linux.openat(AT_FDCWD, directory, { flags: O_PATH | O_DIRECTORY | O_NOFOLLOW }));
        merged = mergeDirectories(base, upper, { lowers: [...layers], form });
      } catch (error) {
        base.close(upper);
        throw error;
      }
      const [top] = layers;
      if (top !== undefined)
        copier.copyMetadata(
          { layer: top, path: '.', status: linux.fstat(top) },
          { directory: upper, name: '.' },
        );
      merged.root.uses += 1;
      return handleOf(merged.root);
    },
    openDirectory: (handle, path) => handleOf(all().acquire(at(handle), path)),
    status({ directory: handle, name }) {
      const directory = at(handle);
      const found = find(directory, name);
      return found === undefined ? undefined : entryStatus(found);
    },
    readLink({ directory: handle, name }) {
      const directory = at(handle);
      if (upperStatus(directory, name) !== undefined) return linux.readlinkat(upperOf(directory), name);
      const source = lowerFile(directory, name);
      return source === undefined
        ? linux.readlinkat(upperOf(directory), name)
        : linux.readlinkat(source.layer, source.path);
    },
    list,
    createFile: (entry, mode) => base.createFile(fresh(entry), mode),
    write: base.write,
    resize: base.resize,
    makeDirectory,
    makeSymlink: (entry, linkTarget) => base.makeSymlink(fresh(entry), linkTarget),
    makeLink: (entry, newEntry) => {
      const source = upperEntry(entry);
      base.makeLink(source, fresh(newEntry));
    },
    makeNode: (entry, node) => {
      const wanted = fresh(entry);
      if (node.type === 'character-device' && node.major === 0 && node.minor === 0)
        base.close(base.createFile(wanted));
      else base.makeNode(wanted, node);
    },
    remove,
    removeDirectory: remove,
    removeTree: (entry, options) => remove(entry, options),
    hideLower,
    isReservedAttribute: isOverlayAttribute,
    setOwner: (wanted, owner) => base.setOwner(target(wanted), owner),
    setMode: (wanted, mode) => modes(target(wanted), mode),
    setTimes: (wanted, times) => base.setTimes(target(wanted), times),
    listAttributes: (wanted) =>
      base.listAttributes(readTarget(wanted)).filter((name) => !isOverlayAttribute(name)),
    setAttribute: (wanted, name, value) => base.setAttribute(target(wanted), name, value),
    removeAttribute: (wanted, name) => base.removeAttribute(target(wanted), name),
    close(handle) {
      const directory = opened.get(handle);
      if (directory === undefined) {
        base.close(handle);
        return;
      }
      opened.delete(handle);
      all().release(directory);
    },
    [Symbol.dispose]: dispose,
  };
}

function entryStatus({ mode, gid, atimeNs, mtimeNs }: linux.FileStatus): EntryStatus {
  const type = mode & S_IFMT;
  const kinds: Readonly<Record<number, EntryKind>> = { [S_IFREG]: 'file', [S_IFLNK]: 'symlink' };
  const kind = isDirectory({ mode } as linux.FileStatus) ? 'directory' : (kinds[type] ?? 'other');
  return { kind, mode: mode & 0o7777, gid, atimeNs, mtimeNs };
}

function removeWhiteouts(operations: RootfsOperations, directory: number): void {
  for (const name of operations.list(directory)) {
    const status = statusAt(directory, name);
    if (status !== undefined && isWhiteout(status)) operations.remove({ directory, name });
  }
}
