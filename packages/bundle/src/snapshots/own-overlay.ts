import { mkdir, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { ImageSource } from '@ocijs/image';
import { discardRootfs, lowerName, makeMountPoint, makeUpper } from './overlay-places.ts';
import { writeRootfsRecord } from './rootfs-record.ts';
import { type OpenSnapshotsOptions, openSnapshots } from './snapshots.ts';

/**
 * The directories of an overlay that somebody else mounts, in namespaces of its container: at `rootfs` of `directory`, with
 * `overlay/upper`, `overlay/work`, and the layers in `lower`.
 */
export interface OwnOverlay {
  /** Absolute. */
  readonly directory: string;
  /** Absolute; empty but for whoever sees the mount. */
  readonly rootfs: string;
  /** The names of the layers in `lower`, the uppermost first: links, as short as they can be. */
  readonly lower: readonly string[];
}

/** Options of {@link prepareOwnOverlay}. */
export interface OwnOverlayOptions {
  /** The directory of the snapshots, see {@link openSnapshots}. */
  readonly snapshots: string;
  /** Those of the user namespace that the overlay is going to be mounted in. */
  readonly kind: OpenSnapshotsOptions['kind'];
  readonly signal?: AbortSignal | undefined;
}

/**
 * Prepares an overlay over the snapshots of an image in `directory`, which is made (mode 0700) when it is missing. Undefined
 * when a layer has no snapshot of this kind. Nothing needs to be unmounted later: the mount is gone with the last process
 * that sees it, and `directory` can be removed then. Use {@link discardRootfs} when it could not be mounted.
 */
export async function prepareOwnOverlay(
  image: ImageSource,
  directory: string,
  { snapshots: path, kind, signal }: OwnOverlayOptions,
): Promise<OwnOverlay | undefined> {
  const snapshots = await openSnapshots(path, { kind, signal });
  using _ = await snapshots.use({ signal });
  const layers = await snapshots.findAll(image);
  if (layers === undefined) return undefined;
  const place = resolve(directory);
  await mkdir(place, { recursive: true, mode: 0o700 });
  const chainIds = layers.map(({ chainId }) => chainId);
  await writeRootfsRecord(place, { version: 1, kind: 'own-overlay', chainIds });
  try {
    return await makeOwnOverlay(place, layers.map(({ rootfs }) => rootfs).reverse());
  } catch (error) {
    await discardRootfs(place);
    throw error;
  }
}

/** Makes the directories of an overlay over any others, such as for a trial; `directory` must be there. */
export async function makeOwnOverlay(directory: string, layers: readonly string[]): Promise<OwnOverlay> {
  const place = join(directory, lowerName);
  await mkdir(place, { mode: 0o700 });
  const lower = layers.map((_, index) => index.toString(36));
  for (const [index, layer] of layers.entries()) await symlink(layer, join(place, lower[index] ?? ''));
  const rootfs = await makeMountPoint(directory);
  await makeUpper(directory, { top: layers[0] });
  return { directory, rootfs, lower };
}
