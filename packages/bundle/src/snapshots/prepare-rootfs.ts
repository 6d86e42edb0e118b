import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { chainIds, type ImageSource, isOciError, type OnEvent } from '@ocijs/image';
import type { OverlayForm } from '../rootfs/overlay/marks.ts';
import { copyTreeInThreads } from '../unpack/copy-threads.ts';
import { removeDirectoryTree } from '../unpack/remove-directory.ts';
import { unpack } from '../unpack/unpack.ts';
import { mountOverlay, unmountAll } from './mount-overlay.ts';
import { discardRootfs, makeMountPoint, makeUpper } from './overlay-places.ts';
import { readRootfsRecord, writeRootfsRecord } from './rootfs-record.ts';
import { openSnapshots, type Snapshot } from './snapshots.ts';

/** Options of {@link prepareRootfs}. */
export interface PrepareRootfsOptions {
  /** The directory of the snapshots, see {@link openSnapshots}. */
  readonly snapshots: string;
  /** The root file system is removed after its use: what is written need not survive a power failure. */
  readonly temporary?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: OnEvent | undefined;
}

/** A root file system that its container may change. */
export interface PreparedRootfs {
  /** Absolute. */
  readonly rootfs: string;
  /** `overlay`: mounted over the snapshots, until {@link releaseRootfs}. `copy`: files of its own. */
  readonly kind: 'overlay' | 'copy';
}

/**
 * Makes `rootfs` in `directory` from an image: layers that no container has used before are applied once, and an
 * overlay is mounted over them, whose changes go to `overlay` in `directory`. Where overlayfs cannot be mounted,
 * as by an ordinary user, the files are copied from the snapshots; where there can be no snapshots, the image is
 * unpacked. `directory` is made (mode 0700) when it is missing. When it fails, or `signal` aborts, nothing of it is left
 * but what was in `directory` before.
 *
 * Throws what `unpack` throws.
 */
export async function prepareRootfs(
  image: ImageSource,
  directory: string,
  options: PrepareRootfsOptions,
): Promise<PreparedRootfs> {
  options.signal?.throwIfAborted();
  const place = resolve(directory);
  await mkdir(place, { recursive: true, mode: 0o700 });
  try {
    return await fromSnapshots(image, place, options);
  } catch (error) {
    await discard(place);
    if (!isOciError(error, 'ERR_OCI_SNAPSHOT_UNSUPPORTED')) throw error;
  }
  await writeRootfsRecord(place, { version: 1, kind: 'copy', chainIds: [] });
  try {
    const rootfs = join(place, 'rootfs');
    await unpack(image, rootfs, { ...options, rootfsOnly: true });
    return { rootfs, kind: 'copy' };
  } catch (error) {
    await discard(place);
    throw error;
  }
}

/**
 * Unmounts the root file system that {@link prepareRootfs} made in `directory`; the files stay. Fine when nothing is
 * mounted, as after a restart of the host, or when there is no such directory.
 */
export async function releaseRootfs(directory: string): Promise<void> {
  const record = await readRootfsRecord(directory);
  if (record?.kind === 'overlay') unmountAll(join(resolve(directory), 'rootfs'));
}

async function fromSnapshots(
  image: ImageSource,
  directory: string,
  options: PrepareRootfsOptions,
): Promise<PreparedRootfs> {
  const { signal, onEvent, temporary = false } = options;
  const snapshots = await openSnapshots(options.snapshots, { signal });
  const { form } = snapshots;
  using _ = await snapshots.use({ signal });
  const wanted = chainIds(image.config.rootfs.diff_ids);
  const canMount = process.geteuid?.() === 0 && wanted.length > 0;
  // Before anything is made or mounted: whoever finds the directory knows what to undo and what is in use.
  await writeRootfsRecord(directory, { version: 1, kind: canMount ? 'overlay' : 'copy', chainIds: wanted });
  const layers = await snapshots.ensure(image, { signal, onEvent });
  const rootfs = await makeMountPoint(directory);
  if (canMount && (await mounted(directory, layers, { form, temporary }))) return { rootfs, kind: 'overlay' };
  const lower = layers.map((layer) => layer.rootfs).reverse();
  await copyTreeInThreads(rootfs, { layers: lower, form, signal });
  await writeRootfsRecord(directory, { version: 1, kind: 'copy', chainIds: [] });
  return { rootfs, kind: 'copy' };
}

async function mounted(
  directory: string,
  layers: readonly Snapshot[],
  options: { readonly form: OverlayForm; readonly temporary: boolean },
): Promise<boolean> {
  const lower = layers.map(({ rootfs }) => rootfs).reverse();
  const { changes, upper, work } = await makeUpper(directory, { top: lower[0] });
  try {
    mountOverlay(join(directory, 'rootfs'), { lower, upper, work, ...options });
    return true;
  } catch (error) {
    if (!isOciError(error, 'ERR_OCI_SNAPSHOT_UNSUPPORTED')) throw error;
    await removeDirectoryTree(changes);
    return false;
  }
}

async function discard(directory: string): Promise<void> {
  await releaseRootfs(directory);
  await discardRootfs(directory);
}
