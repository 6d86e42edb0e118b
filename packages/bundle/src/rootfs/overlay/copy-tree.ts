import { setImmediate } from 'node:timers/promises';
import * as linux from '@ocijs/linux';
import { notedMode } from './copy-file.ts';
import {
  copyFiles,
  copyLinked,
  type DirectoryToFill,
  type LinkedFile,
  type OpenTree,
  openTree,
  type TreeLayers,
} from './copy-files.ts';
import { listLayerEntries, type OverlayForm } from './marks.ts';
import {
  findLower,
  isDirectory,
  type LowerFile,
  type MergedDirectories,
  type MergedDirectory,
  mergeDirectories,
  pathIn,
} from './merged-directories.ts';

/** How many directories are made before others get their turn. */
const directoriesAtOnce = 50;

/** What {@link copyTree} copies. */
export interface CopyTreeOptions extends TreeLayers {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Copies what overlayfs would show of a stack of layers into the empty directory `target`, without mounting anything.
 * Contents are shared where the file system has reflinks; hard links stay hard links among the copies.
 * Throws ERR_OCI_SNAPSHOT_UNSUPPORTED when large sparse files would lose their holes.
 */
export async function copyTree(target: string, { signal, ...layers }: CopyTreeOptions): Promise<void> {
  signal?.throwIfAborted();
  using copy = startTreeCopy(target, layers);
  await inTurns(copy.makeDirectories(), { signal });
  await inTurns(copy.fill(copy.directories), { signal });
  await inTurns(copy.finish(), { signal });
}

/** Does work that yields now and then, and lets others have their turn. Rejects with the signal's reason. */
export async function inTurns(
  work: Iterable<undefined>,
  { signal }: { readonly signal?: AbortSignal | undefined },
): Promise<void> {
  for (const _ of work) {
    await setImmediate();
    signal?.throwIfAborted();
  }
}

/** The copying of a tree, which yields now and then. */
export interface TreeCopy extends Disposable {
  /** First, all directories. */
  makeDirectories(): Generator<undefined, void, undefined>;
  /** Those that were made, the outer ones first. */
  readonly directories: readonly DirectoryToFill[];
  /** How many names they have together, those that upper layers hide included. */
  entries(): number;
  /** Then the files in them; other threads may do so for some, with {@link copyFiles}. */
  fill(directories: Iterable<DirectoryToFill>): Generator<undefined, void, undefined>;
  /** Copies what has several names, also that which other threads came across, and gives directories what they are to have. */
  finish(others?: readonly LinkedFile[]): Generator<undefined, void, undefined>;
}

/** Starts to copy as {@link copyTree} does. */
export function startTreeCopy(target: string, layers: TreeLayers): TreeCopy {
  const tree = openTree(target, layers);
  const { lowers, operations } = tree;
  const merged = mergeDirectories(operations, undefined, { lowers, form: layers.form });
  const sources: MadeDirectory[] = [];
  const directories: DirectoryToFill[] = [];
  const making: Making = { tree, merged, sources, directories, entries: 0 };
  const linked: LinkedFile[] = [];
  return {
    directories,
    entries: () => making.entries,
    *makeDirectories() {
      const [top] = lowers;
      if (top === undefined) return;
      sources.push({ source: { layer: top, path: '.', status: linux.fstat(top) }, settled: false });
      yield* makeBelow(making, merged.root, tree.root);
    },
    fill: (some) => copyFiles(tree, some, linked),
    *finish(others = []) {
      yield* copyLinked(tree, [...linked, ...others]);
      finishDirectories(tree, { sources, form: layers.form });
    },
    [Symbol.dispose]: () => tree[Symbol.dispose](),
  };
}

interface MadeDirectory {
  readonly source: LowerFile;
  /** It was made with its owner and mode. */
  readonly settled: boolean;
}

interface Making {
  readonly tree: OpenTree;
  readonly merged: MergedDirectories;
  readonly sources: MadeDirectory[];
  readonly directories: DirectoryToFill[];
  entries: number;
}

function* makeBelow(
  making: Making,
  directory: MergedDirectory,
  target: number,
): Generator<undefined, void, undefined> {
  const { tree, merged, sources, directories } = making;
  const { operations, lowers, copier } = tree;
  const layers = directory.lowers.map((layer) => lowers.indexOf(layer));
  directories.push({ path: pathIn(directory, '.'), layers });
  if (directories.length % directoriesAtOnce === 0) yield;
  for (const name of directoryNames(directory, making)) {
    const source = findLower(directory.lowers, pathIn(directory, name));
    if (source === undefined || !isDirectory(source.status)) continue;
    const settled = copier.makeDirectory(source, { directory: target, name });
    sources.push({ source, settled });
    const child = merged.acquire(directory, name);
    const fd = operations.openDirectory(target, name);
    try {
      yield* makeBelow(making, child, fd);
    } finally {
      operations.close(fd);
      merged.release(child);
    }
  }
}

/** The names that some layer has a directory at, as far as its file system says. */
function directoryNames(directory: MergedDirectory, making: Making): ReadonlySet<string> {
  const found = new Set<string>();
  for (const layer of directory.lowers) {
    const entries = listLayerEntries(layer, pathIn(directory, '.'));
    making.entries += entries.length;
    for (const entry of entries) if (entry.isDirectory !== false) found.add(entry.name);
  }
  return found;
}

/**
 * Last, since the times of a full directory change no more, and the inner ones first: modes that keep the owner out come behind
 * everything else.
 */
function finishDirectories(
  { copier, operations, root }: OpenTree,
  { sources, form }: { readonly sources: readonly MadeDirectory[]; readonly form: OverlayForm },
): void {
  const closed: { readonly name: string; readonly mode: number }[] = [];
  for (const { source, settled } of sources.toReversed()) {
    const target = { directory: root, name: source.path };
    copier.copyMetadata(source, target, { settled });
    // Root keeps its snapshots with the permissions that they are to have.
    const mode = form === 'user' ? notedMode(source) : undefined;
    if (mode === undefined) continue;
    if ((mode & 0o700) === 0o700) operations.setMode(target, mode);
    else closed.push({ name: source.path, mode });
  }
  for (const { name, mode } of closed) operations.setMode({ directory: root, name }, mode);
}
