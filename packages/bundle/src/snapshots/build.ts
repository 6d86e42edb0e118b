import { mkdir, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Digest, ImageSource, OnEvent } from '@ocijs/image';
import { fstat } from '@ocijs/linux';
import { hasErrno } from '../rootfs/failure.ts';
import type { ApplyOptions } from '../rootfs/layer-context.ts';
import type { OverlayForm } from '../rootfs/overlay/marks.ts';
import type { LayerThread } from '../unpack/layer-thread.ts';
import type { PlannedLayer } from '../unpack/plan.ts';
import { removeDirectoryTree } from '../unpack/remove-directory.ts';
import { localFile, makeRootfs } from '../unpack/unpack.ts';
import { type DirectoryLock, lockDirectory } from './lock.ts';
import { rootfsName, type SnapshotKind, type SnapshotPaths } from './paths.ts';
import { currentBoot, readSnapshotRecord, writeSnapshotRecord } from './record.ts';

/** A snapshot to make. */
export interface SnapshotTask {
  readonly paths: SnapshotPaths;
  readonly chainId: Digest;
  readonly layer: PlannedLayer;
  readonly index: number;
  /** The layers below, the uppermost first. */
  readonly lower: readonly string[];
  readonly form: OverlayForm;
  readonly kind: SnapshotKind;
  readonly apply: ApplyOptions;
}

/** What it is made with. */
export interface BuildOptions {
  readonly image: ImageSource;
  readonly thread: () => LayerThread;
  readonly warn: (warning: { readonly code: string; readonly message: string }) => void;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: OnEvent | undefined;
}

/**
 * Makes a snapshot, or waits for the process that is making it. The directory in which it is made is the lock as
 * well: it has a known name, and what a killed process left in it is removed by the next one that locks it.
 */
export async function buildSnapshot(task: SnapshotTask, options: BuildOptions): Promise<void> {
  const { paths } = task;
  await mkdir(dirname(paths.staging), { recursive: true, mode: 0o700 });
  for (;;) {
    using lock = await lockStaging(paths.staging, options.signal);
    if ((await readSnapshotRecord(paths.directory)) !== undefined) {
      if (await isStill(paths.staging, lock)) await removeDirectoryTree(paths.staging);
      return;
    }
    // Whoever had the lock before has moved or removed the directory.
    if (!(await isStill(paths.staging, lock))) continue;
    try {
      await removeDirectoryTree(join(paths.staging, rootfsName));
      await removeDirectoryTree(join(paths.staging, 'snapshot.json'));
      await applySnapshot(task, options);
      await removeDirectoryTree(paths.directory);
      await rename(paths.staging, paths.directory);
      return;
    } catch (error) {
      await removeDirectoryTree(paths.staging);
      throw error;
    }
  }
}

async function lockStaging(path: string, signal: AbortSignal | undefined): Promise<DirectoryLock> {
  for (;;) {
    try {
      await mkdir(path, { mode: 0o700 });
    } catch (error) {
      if (!hasErrno(error, 'EEXIST')) throw error;
    }
    try {
      return await lockDirectory(path, { exclusive: true, signal });
    } catch (error) {
      if (!hasErrno(error, 'ENOENT')) throw error;
    }
  }
}

/** True while the locked directory has its name. */
async function isStill(path: string, { fd }: DirectoryLock): Promise<boolean> {
  try {
    return (await stat(path, { bigint: true })).ino === fstat(fd).ino;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return false;
    throw error;
  }
}

async function applySnapshot(task: SnapshotTask, options: BuildOptions): Promise<void> {
  const { paths, layer, index, lower, form, kind, apply, chainId } = task;
  const { image, signal, onEvent } = options;
  const { descriptor, diffId } = layer;
  const { digest, size, mediaType } = descriptor;
  const rootfs = join(paths.staging, rootfsName);
  await makeRootfs(rootfs, apply);
  const progress = (done: number): void =>
    onEvent?.({ type: 'layer-progress', index, digest, total: size, done });
  const entries = await options.thread().apply(
    {
      ...apply,
      rootfs,
      descriptor: { digest, size, mediaType },
      diffId,
      file: localFile(image, descriptor),
      overlay: { lower, form },
    },
    {
      signal,
      openBlob: () => image.openBlob(descriptor, { signal }),
      onProgress: progress,
      onWarning: options.warn,
    },
  );
  progress(size);
  const boot = await currentBoot();
  await writeSnapshotRecord(paths.staging, { version: 1, chainId, diffId, kind, boot });
  onEvent?.({ type: 'layer-done', index, digest, entries });
}
