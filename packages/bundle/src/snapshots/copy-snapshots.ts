import { existsSync } from 'node:fs';
import { constants, copyFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ImageSource } from '@ocijs/image';
import { BundleError } from '../errors.ts';
import { recordPath } from '../repack/record/read-records.ts';
import { hasErrno } from '../rootfs/failure.ts';
import type { ApplyOptions } from '../rootfs/layer-context.ts';
import type { OverlayForm } from '../rootfs/overlay/marks.ts';
import { copyTreeInThreads } from '../unpack/copy-threads.ts';
import { prepareRoot } from '../unpack/unpack.ts';
import { isFaithful } from './faithful.ts';
import { openKeptTree } from './kept-tree.ts';
import { layerRecord } from './paths.ts';
import { openSnapshots, type Snapshot, type Snapshots } from './snapshots.ts';

/** Options of {@link copySnapshots}. */
export interface CopySnapshotsOptions {
  /** The directory of the snapshots, which need not be there. */
  readonly snapshots: string;
  /** Where the files go: an empty directory. */
  readonly rootfs: string;
  readonly apply: ApplyOptions;
  /** Whether it may become a subvolume of btrfs. */
  readonly canBeSubvolume: boolean;
  /** The bundle that gets a record of each layer. */
  readonly records: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes a root file system of the snapshots of an image's layers: its contents are shared with them where the file system
 * can. The result is what unpacking the layers would give. False, and nothing was written, when a layer has no snapshot, or
 * one that differs from what is wanted.
 */
export async function copySnapshots(image: ImageSource, options: CopySnapshotsOptions): Promise<boolean> {
  const { snapshots: directory, signal } = options;
  if (!existsSync(directory)) return false;
  const own = await openSnapshots(directory, { signal });
  if (await copyFound(image, own, options)) return true;
  if (own.kind !== 'user') return false;
  // The same files with their own modes, so that some may be kept from their owner.
  const single = await openSnapshots(directory, { kind: 'single', signal });
  try {
    return await copyFound(image, single, options);
  } catch (error) {
    // EPERM: an attribute such as security.capability, which root of a namespace may set.
    if (!hasErrno(error, 'EACCES', 'EPERM')) throw error;
    const message = 'a file of the layers cannot be read or made by its owner';
    throw new BundleError('ERR_OCI_SNAPSHOT_UNSUPPORTED', message, { cause: error });
  }
}

async function copyFound(
  image: ImageSource,
  snapshots: Snapshots,
  options: CopySnapshotsOptions,
): Promise<boolean> {
  const { apply, records, signal } = options;
  if (!isAsSnapshots(apply, snapshots)) return false;
  using _ = await snapshots.use({ signal });
  const found = await snapshots.findAll(image);
  if (found === undefined || !found.every((snapshot) => existsSync(layerRecord(snapshot)))) return false;
  if (!(await makeTree(found, { ...options, form: snapshots.form }))) return false;
  if (records === undefined) return true;
  for (const [index, snapshot] of found.entries())
    await copyFile(layerRecord(snapshot), recordPath(records, index), constants.COPYFILE_FICLONE);
  return true;
}

/** Makes the root file system of a tree that was kept, if there is one, or copies the layers. */
async function makeTree(
  found: readonly Snapshot[],
  { rootfs, apply, canBeSubvolume, form, signal }: CopySnapshotsOptions & { readonly form: OverlayForm },
): Promise<boolean> {
  const [top] = found.slice(-1);
  using kept =
    top === undefined || !canBeSubvolume
      ? undefined
      : openKeptTree({
          snapshot: dirname(top.rootfs),
          rootfs,
          prepare: (path) => prepareRoot(path, apply),
        });
  signal?.throwIfAborted();
  if (await kept?.take()) return true;
  if (!found.every((snapshot) => isFaithful(layerRecord(snapshot), signal))) return false;
  const isSubvolume = await kept?.begin();
  const layers = found.map((snapshot) => snapshot.rootfs).reverse();
  await copyTreeInThreads(rootfs, { layers, form, signal });
  if (isSubvolume) kept?.keep();
  return true;
}

/** Snapshots have the owners of the image as far as their user may give files away. */
function isAsSnapshots(
  { rootless, uidMap, gidMap, keepDirlinks }: ApplyOptions,
  { notesOwners }: Snapshots,
): boolean {
  return rootless === notesOwners && uidMap.length === 0 && gidMap.length === 0 && !keepDirlinks;
}
