import { setImmediate } from 'node:timers/promises';
import * as linux from '@ocijs/linux';
import { isPlainDirectory } from '../directory-tree.ts';
import { linuxOperations } from '../linux-operations.ts';
import { createFileCopier, type FileCopier, notedMode } from './copy-file.ts';
import { listLayer, type OverlayForm } from './marks.ts';
import {
  findLower,
  isDirectory,
  type LowerFile,
  type MergedDirectories,
  type MergedDirectory,
  mergeDirectories,
  pathIn,
} from './merged-directories.ts';

const { AT_FDCWD, O_DIRECTORY, O_NOFOLLOW, O_PATH } = linux.constants;

/** How many files are copied before others get their turn. */
const filesAtOnce = 100;

/** What {@link copyTree} copies. */
export interface CopyTreeOptions extends TreeLayers {
  readonly signal?: AbortSignal | undefined;
}

/** A stack of layers. */
export interface TreeLayers {
  /** The uppermost first. */
  readonly layers: readonly string[];
  readonly form: OverlayForm;
}

/**
 * Copies what overlayfs would show of a stack of layers into the empty directory `target`, without mounting anything.
 * Contents are shared where the file system has reflinks; hard links stay hard links among the copies.
 * Throws ERR_OCI_SNAPSHOT_UNSUPPORTED when large sparse files would lose their holes.
 */
export async function copyTree(target: string, { signal, ...layers }: CopyTreeOptions): Promise<void> {
  signal?.throwIfAborted();
  using copy = startTreeCopy(target, layers);
  for (const _ of copy.files()) {
    await setImmediate();
    signal?.throwIfAborted();
  }
  copy.finish();
}

/** Options of {@link startTreeCopy}. */
export interface StartTreeCopyOptions extends TreeLayers {
  /** Which part of the files this is to copy, of how many. The first part is the one to finish. */
  readonly part?: { readonly index: number; readonly of: number } | undefined;
}

/** The copying of a tree, or of a part of it. */
export interface TreeCopy extends Disposable {
  /** Copies files, and yields now and then. */
  files(): Generator<undefined, void, undefined>;
  /** Gives directories what they are to have; call it when all parts are copied. */
  finish(): void;
}

/** Starts to copy as {@link copyTree} does; several threads may copy a part each. */
export function startTreeCopy(
  target: string,
  { layers, form, part = { index: 0, of: 1 } }: StartTreeCopyOptions,
): TreeCopy {
  const operations = linuxOperations();
  using opening = new DisposableStack();
  const kept = <Descriptor extends number>(fd: Descriptor): Descriptor => {
    opening.defer(() => linux.close(fd));
    return fd;
  };
  const lowers = layers.map((path) =>
    kept(linux.openat(AT_FDCWD, path, { flags: O_PATH | O_DIRECTORY | O_NOFOLLOW })),
  );
  const root = kept(operations.openRoot(target));
  const merged = mergeDirectories(operations, undefined, { lowers, form });
  const isPlain = isPlainDirectory(operations, { directory: root, name: '.' });
  const copier = createFileCopier(operations, { restoreModes: true, isPlain });
  const copy: Copy = { merged, copier, root, operations, part, names: new Map(), directories: [], seen: 0 };
  const opened = opening.move();
  return {
    *files() {
      const [top] = lowers;
      if (top === undefined) return;
      yield* copyContents(copy, merged.root, root);
      copy.directories.push({ layer: top, path: '.', status: linux.fstat(top) });
    },
    finish: () => finishDirectories(copy),
    [Symbol.dispose]: () => opened.dispose(),
  };
}

interface Copy {
  readonly merged: MergedDirectories;
  readonly copier: FileCopier;
  readonly operations: ReturnType<typeof linuxOperations>;
  /** Of the target. */
  readonly root: number;
  readonly part: { readonly index: number; readonly of: number };
  /** Where the first name of a file with several is in the target, by layer and inode. */
  readonly names: Map<string, string>;
  /** Those that were made, the inner ones first. */
  readonly directories: LowerFile[];
  /** How many directories have been visited; the parts take them in turn. */
  seen: number;
}

function* copyContents(
  copy: Copy,
  directory: MergedDirectory,
  target: number,
): Generator<undefined, void, undefined> {
  const { index, of } = copy.part;
  const isMine = copy.seen % of === index;
  copy.seen += 1;
  let count = 0;
  for (const [name, layers] of layersByName(directory)) {
    const source = findLower(layers, pathIn(directory, name));
    if (source === undefined) continue;
    count += 1;
    if (count % filesAtOnce === 0) yield;
    if (isDirectory(source.status)) yield* copyDirectory(copy, source, { directory, target, name });
    // Names of one file are in several directories.
    else if (source.status.nlink > 1 ? index === 0 : isMine)
      copyFile(copy, source, { directory: target, name });
  }
}

interface DirectoryPlace {
  readonly directory: MergedDirectory;
  readonly target: number;
  readonly name: string;
}

function* copyDirectory(
  copy: Copy,
  source: LowerFile,
  { directory, target, name }: DirectoryPlace,
): Generator<undefined, void, undefined> {
  const { merged, operations } = copy;
  makeDirectory(copy, { directory: target, name });
  const child = merged.acquire(directory, name);
  const fd = operations.openDirectory(target, name);
  try {
    yield* copyContents(copy, child, fd);
  } finally {
    operations.close(fd);
    merged.release(child);
  }
  copy.directories.push(source);
}

function makeDirectory({ operations, part }: Copy, target: Target): void {
  try {
    operations.makeDirectory(target);
  } catch (error) {
    if (part.of === 1 || !linux.isSystemCallError(error, 'EEXIST')) throw error;
  }
}

/** The names in a directory, and which layers have them: asking layers that do not is most of the work otherwise. */
function layersByName(directory: MergedDirectory): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, number[]>();
  for (const layer of directory.lowers) {
    for (const name of listLayer(layer, pathIn(directory, '.'))) {
      const layers = found.get(name);
      if (layers === undefined) found.set(name, [layer]);
      else layers.push(layer);
    }
  }
  return found;
}

interface Target {
  readonly directory: number;
  readonly name: string;
}

function copyFile({ copier, names, root }: Copy, source: LowerFile, target: Target): void {
  const { layer, path, status } = source;
  const key = `${layer}:${status.ino}`;
  const first = status.nlink > 1 ? names.get(key) : undefined;
  if (first !== undefined) {
    linux.linkat({ directory: root, path: first }, { directory: target.directory, path: target.name });
    return;
  }
  if (status.nlink > 1) names.set(key, path);
  copier.copy(source, target);
}

/**
 * Last, since the times of a full directory change no more. Modes that keep the owner out come behind everything else.
 */
function finishDirectories({ copier, operations, directories, root }: Copy): void {
  const closed: { readonly name: string; readonly mode: number }[] = [];
  for (const source of directories) {
    const target = { directory: root, name: source.path };
    copier.copyMetadata(source, target);
    const mode = notedMode(source);
    if (mode === undefined) continue;
    if ((mode & 0o700) === 0o700) operations.setMode(target, mode);
    else closed.push({ name: source.path, mode });
  }
  for (const { name, mode } of closed) operations.setMode({ directory: root, name }, mode);
}
