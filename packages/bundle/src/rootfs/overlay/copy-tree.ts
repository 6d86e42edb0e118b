import { setImmediate } from 'node:timers/promises';
import * as linux from '@ocijs/linux';
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
export interface CopyTreeOptions {
  /** The uppermost first. */
  readonly layers: readonly string[];
  readonly form: OverlayForm;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Copies what overlayfs would show of a stack of layers into the empty directory `target`, without mounting anything.
 * Contents are shared where the file system has reflinks; hard links stay hard links among the copies.
 * Throws ERR_OCI_SNAPSHOT_UNSUPPORTED when large sparse files would lose their holes.
 */
export async function copyTree(target: string, { layers, form, signal }: CopyTreeOptions): Promise<void> {
  signal?.throwIfAborted();
  const operations = linuxOperations();
  const opened: number[] = [];
  try {
    for (const path of layers)
      opened.push(linux.openat(AT_FDCWD, path, { flags: O_PATH | O_DIRECTORY | O_NOFOLLOW }));
    const root = operations.openRoot(target);
    opened.push(root);
    const merged = mergeDirectories(operations, undefined, { lowers: opened.slice(0, -1), form });
    const [top] = opened;
    if (top === undefined || layers.length === 0) return;
    const copier = createFileCopier(operations, { restoreModes: true });
    const closed: Copy['closed'] = [];
    const copy: Copy = { merged, copier, root, operations, signal, names: new Map(), closed, count: 0 };
    await copyContents(copy, merged.root, root);
    const source = { layer: top, path: '.', status: linux.fstat(top) };
    finishDirectory(copy, source, { directory: root, name: '.' });
    for (const { path, mode } of closed) operations.setMode({ directory: root, name: path }, mode);
  } finally {
    for (const fd of opened) linux.close(fd);
  }
}

interface Copy {
  readonly merged: MergedDirectories;
  readonly copier: FileCopier;
  readonly operations: ReturnType<typeof linuxOperations>;
  /** Of the target. */
  readonly root: number;
  readonly signal: AbortSignal | undefined;
  /** Where the first name of a file with several is in the target, by layer and inode. */
  readonly names: Map<string, string>;
  /** Directories that are to keep their owner out, the inner ones first: links may lead into them until the end. */
  readonly closed: { readonly path: string; readonly mode: number }[];
  count: number;
}

async function copyContents(copy: Copy, directory: MergedDirectory, target: number): Promise<void> {
  for (const [name, layers] of layersByName(directory)) {
    const source = findLower(layers, pathIn(directory, name));
    if (source === undefined) continue;
    copy.count += 1;
    if (copy.count % filesAtOnce === 0) await setImmediate();
    copy.signal?.throwIfAborted();
    if (!isDirectory(source.status)) {
      copyFile(copy, source, { directory: target, name });
      continue;
    }
    copy.operations.makeDirectory({ directory: target, name });
    const child = copy.merged.acquire(directory, name);
    const fd = copy.operations.openDirectory(target, name);
    try {
      await copyContents(copy, child, fd);
    } finally {
      copy.operations.close(fd);
      copy.merged.release(child);
    }
    finishDirectory(copy, source, { directory: target, name });
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

/** Last, since the times of a full directory change no more. */
function finishDirectory({ copier, operations, closed }: Copy, source: LowerFile, target: Target): void {
  copier.copyMetadata(source, target);
  const mode = notedMode(source);
  if (mode === undefined) return;
  if ((mode & 0o700) === 0o700) operations.setMode(target, mode);
  else closed.push({ path: source.path, mode });
}
