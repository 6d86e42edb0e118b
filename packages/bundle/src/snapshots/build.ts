import { join } from 'node:path';
import type { Digest, ImageSource, OnEvent } from '@ocijs/image';
import type { ApplyOptions } from '../rootfs/layer-context.ts';
import type { OverlayForm } from '../rootfs/overlay/marks.ts';
import type { LayerThread } from '../unpack/layer-thread.ts';
import type { PlannedLayer } from '../unpack/plan.ts';
import { localFile, makeRootfs } from '../unpack/unpack.ts';
import { makeSnapshot } from './make-snapshot.ts';
import { recordName, rootfsName, type SnapshotKind, type SnapshotPaths } from './paths.ts';
import { currentBoot, writeSnapshotRecord } from './record.ts';

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

/** Makes a snapshot of a layer, or waits for the process that is making it. */
export async function buildSnapshot(task: SnapshotTask, options: BuildOptions): Promise<void> {
  await makeSnapshot(task.paths, () => applySnapshot(task, options), options);
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
      record: join(paths.staging, recordName),
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
