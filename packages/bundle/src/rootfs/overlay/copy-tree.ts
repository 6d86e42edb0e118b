import { setImmediate } from 'node:timers/promises';
import * as linux from '@ocijs/linux';
import { linuxOperations } from '../linux-operations.ts';
import { createFileCopier, type FileCopier, trueMode } from './copy-file.ts';
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
    const copy: Copy = { merged, copier, root, operations, signal, names: new Map(), count: 0 };
    await copyContents(copy, merged.root, root);
    const source = { layer: top, path: '.', status: linux.fstat(top) };
    finishDirectory(copy, source, { directory: root, name: '.' });
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
  count: number;
}

async function copyContents(copy: Copy, directory: MergedDirectory, target: number): Promise<void> {
  const found = new Set(directory.lowers.flatMap((layer) => listLayer(layer, pathIn(directory, '.'))));
  for (const name of found) {
    const source = findLower(directory.lowers, pathIn(directory, name));
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

/** Last, since a full directory's times change no more, and it may keep its owner out. */
function finishDirectory({ copier, operations }: Copy, source: LowerFile, target: Target): void {
  copier.copyMetadata(source, target);
  operations.setMode(target, trueMode(source));
  operations.setTimes(target, source.status);
}
