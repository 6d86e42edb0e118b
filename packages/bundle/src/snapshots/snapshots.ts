import { lstat, mkdir, readdir, rename } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { chainIds, type Digest, type ImageSource, type OnEvent } from '@ocijs/image';
import { BundleError } from '../errors.ts';
import { hasErrno } from '../rootfs/failure.ts';
import type { ApplyOptions } from '../rootfs/layer-context.ts';
import type { OverlayForm } from '../rootfs/overlay/marks.ts';
import { startLayerThread } from '../unpack/layer-thread.ts';
import { planLayers } from '../unpack/plan.ts';
import { removeDirectoryTree } from '../unpack/remove-directory.ts';
import { requireLinux } from '../unpack/unpack.ts';
import { hasOneUser, namespaceIds } from '../user-namespace.ts';
import { buildSnapshot } from './build.ts';
import { lockDirectory } from './lock.ts';
import { makeSnapshot } from './make-snapshot.ts';
import {
  chainIdOf,
  isStagingOf,
  rootfsName,
  type SnapshotKind,
  snapshotPaths,
  trialPrefix,
} from './paths.ts';
import { currentBoot, readSnapshotRecord, writeSnapshotRecord } from './record.ts';
import { requireMarks } from './support.ts';

/** One layer as it lies in the directory of snapshots. */
export interface Snapshot {
  /** Of this layer and all below it (image-spec `config.md`, "Layer ChainID"). */
  readonly chainId: Digest;
  /** The directory in overlay form. */
  readonly rootfs: string;
}

/** Options of {@link Snapshots.ensure}. */
export interface EnsureOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: OnEvent | undefined;
}

/** Options of {@link Snapshots.adopt}. */
export interface AdoptOptions extends Pick<EnsureOptions, 'signal'> {
  /** Of the layer and all below it, the lowest first. */
  readonly diffIds: readonly Digest[];
}

/** Options of {@link openSnapshots}. */
export interface OpenSnapshotsOptions extends Pick<EnsureOptions, 'signal'> {
  /**
   * Of the snapshots in the directory, those that somebody else has made: root of a user namespace of the same user. They can
   * be looked for and used, and removed as far as their owners allow; {@link Snapshots.ensure} is for whoever makes them.
   */
  readonly kind?: Exclude<SnapshotKind, 'root'> | undefined;
}

/** The layers of images, each applied once, for all containers. */
export interface Snapshots {
  /** Absolute. */
  readonly directory: string;
  readonly kind: SnapshotKind;
  readonly form: OverlayForm;
  /** Files belong to the caller whoever owns them in the image, which is noted at them. */
  readonly notesOwners: boolean;
  /**
   * Makes the snapshots of an image that are missing, and returns all of them, the lowest layer first. Every byte is
   * verified as in `unpack`. Of several processes one makes a snapshot and the others wait for it.
   * Call it while {@link Snapshots.use} keeps them from being removed.
   *
   * Throws what `unpack` throws, and ERR_OCI_SNAPSHOT_UNSUPPORTED.
   */
  ensure(image: ImageSource, options?: EnsureOptions): Promise<readonly Snapshot[]>;
  /** The snapshot of a chain id, if there is one. */
  find(chainId: Digest): Promise<Snapshot | undefined>;
  /** The snapshots of an image, the lowest layer first; undefined when one of them is missing. */
  findAll(image: ImageSource): Promise<readonly Snapshot[] | undefined>;
  /**
   * Makes the upper directory of an overlay the snapshot of the layer that {@link overlayEntries} makes of it, the last
   * of `diffIds`. Give it to `settleUpper` first, and unmount the overlay; the directory is moved, unless there is such a
   * snapshot already. False when it lies on another file system.
   */
  adopt(upper: string, options: AdoptOptions): Promise<boolean>;
  /** Nothing is removed until the result is disposed of. */
  use(options?: Pick<EnsureOptions, 'signal'>): Promise<Disposable>;
  /** The chain ids of all snapshots. */
  list(): Promise<readonly Digest[]>;
  /**
   * Removes all snapshots but those of the chain ids that `inUse` tells, which is asked while no snapshot can come
   * into use; and what killed processes left. Returns what was removed. Name every chain id of a container, not the
   * last one alone.
   */
  removeUnused(
    inUse: () => Promise<Iterable<Digest>>,
    options?: RemoveUnusedOptions,
  ): Promise<readonly Digest[]>;
}

/** Options of {@link Snapshots.removeUnused}. */
export interface RemoveUnusedOptions {
  /** Only tell what would be removed. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens the snapshots in a directory, `snapshots` of an image store; it is made (mode 0700) if it is missing.
 * They belong to one user: throws ERR_OCI_SNAPSHOT_UNSUPPORTED when another one made the directory, since whoever
 * owns a layer can change it. Throws ERR_OCI_PLATFORM_UNSUPPORTED (needs Linux).
 */
export async function openSnapshots(
  path: string,
  { signal, kind: wanted }: OpenSnapshotsOptions = {},
): Promise<Snapshots> {
  signal?.throwIfAborted();
  requireLinux();
  const directory = resolve(path);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const { uid, mode } = await lstat(directory);
  const isRoot = process.geteuid?.() === 0;
  if (uid !== process.geteuid?.() || (mode & 0o022) !== 0) {
    throw new BundleError('ERR_OCI_SNAPSHOT_UNSUPPORTED', `${directory} belongs to another user`, {
      path: directory,
      actual: uid,
    });
  }
  const mapped = namespaceIds();
  const isInitial = isRoot && mapped === undefined;
  const hasOthers = isRoot && !(mapped !== undefined && hasOneUser(mapped));
  const own: SnapshotKind = isInitial ? 'root' : !isRoot ? 'user' : hasOthers ? 'namespace' : 'single';
  const kind = wanted ?? own;
  const form: OverlayForm = kind === 'root' ? 'trusted' : 'user';
  // Owners that nobody stands for are noted, and given back by whoever reads the files as a layer.
  const notesOwners = kind === 'user' || kind === 'single';
  const apply: ApplyOptions = {
    rootless: notesOwners,
    placeholderDevices: !isInitial,
    uidMap: [],
    gidMap: [],
    keepDirlinks: false,
  };

  async function ensure(image: ImageSource, options: EnsureOptions = {}): Promise<readonly Snapshot[]> {
    options.signal?.throwIfAborted();
    if (kind !== own) throw new Error(`snapshots of the kind ${kind} are not made by this process`);
    const layers = planLayers(image);
    const ids = chainIds(layers.map(({ diffId }) => diffId));
    const found: Snapshot[] = [];
    const warned = new Set<string>();
    await using resources = new AsyncDisposableStack();
    let thread: ReturnType<typeof startLayerThread> | undefined;
    for (const [index, layer] of layers.entries()) {
      const chainId = ids[index] ?? layer.diffId;
      const paths = snapshotPaths(directory, chainId, kind);
      if ((await readSnapshotRecord(paths.directory)) === undefined) {
        if (thread === undefined) {
          await requireMarks(directory, form);
          const missing = layers.slice(index);
          const total = missing.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
          options.onEvent?.({ type: 'unpack-start', layers: missing.length, total });
          thread = resources.use(startLayerThread({ totalSize: total }));
        }
        const started = thread;
        const lower = found.map(({ rootfs }) => rootfs).reverse();
        await buildSnapshot(
          { paths, chainId, layer, index, lower, form, kind, apply },
          {
            ...options,
            image,
            thread: () => started,
            warn: ({ code, message }) => {
              if (!warned.has(code)) options.onEvent?.({ type: 'warning', code, message });
              warned.add(code);
            },
          },
        );
      }
      found.push({ chainId, rootfs: paths.rootfs });
    }
    return found;
  }

  async function find(chainId: Digest): Promise<Snapshot | undefined> {
    const { directory: place, rootfs } = snapshotPaths(directory, chainId, kind);
    return (await readSnapshotRecord(place)) === undefined ? undefined : { chainId, rootfs };
  }

  async function findAll(image: ImageSource): Promise<readonly Snapshot[] | undefined> {
    const { diff_ids } = image.config.rootfs;
    if (diff_ids.length === 0 || diff_ids.length !== image.manifest.layers.length) return undefined;
    const found: Snapshot[] = [];
    for (const chainId of chainIds(diff_ids)) {
      const snapshot = await find(chainId);
      if (snapshot === undefined) return undefined;
      found.push(snapshot);
    }
    return found;
  }

  async function adopt(upper: string, { diffIds, signal: stop }: AdoptOptions): Promise<boolean> {
    const [chainId, diffId] = [chainIds(diffIds).at(-1), diffIds.at(-1)];
    if (chainId === undefined || diffId === undefined) return false;
    const paths = snapshotPaths(directory, chainId, kind);
    const boot = await currentBoot();
    const take = async (): Promise<void> => {
      await rename(upper, join(paths.staging, rootfsName));
      await writeSnapshotRecord(paths.staging, { version: 1, chainId, diffId, kind, boot });
    };
    try {
      await makeSnapshot(paths, take, { signal: stop });
      return true;
    } catch (error) {
      if (hasErrno(error, 'EXDEV')) return false;
      throw error;
    }
  }

  async function removeUnused(
    inUse: () => Promise<Iterable<Digest>>,
    { dryRun = false, ...options }: RemoveUnusedOptions = {},
  ): Promise<readonly Digest[]> {
    using _ = await lockDirectory(directory, { exclusive: true, ...options });
    const used = new Set(await inUse());
    const unused = (await listSnapshots(directory, kind)).filter((chainId) => !used.has(chainId));
    if (dryRun) return unused;
    for (const chainId of unused) {
      options.signal?.throwIfAborted();
      const { directory: place, staging } = snapshotPaths(directory, chainId, kind);
      await removeDirectoryTree(staging);
      // What is half removed must not be taken for a snapshot.
      await rename(place, staging);
    }
    await removeLeftovers(directory, kind);
    return unused;
  }

  return {
    directory,
    kind,
    form,
    notesOwners,
    ensure,
    find,
    findAll,
    adopt,
    use: (options = {}) => lockDirectory(directory, { exclusive: false, ...options }),
    list: () => listSnapshots(directory, kind),
    removeUnused,
  };
}

async function listSnapshots(directory: string, kind: SnapshotKind): Promise<readonly Digest[]> {
  const found: Digest[] = [];
  for (const [algorithm, name] of await entriesBelow(directory)) {
    const chainId = chainIdOf(algorithm, name, kind);
    if (chainId !== undefined) found.push(chainId);
  }
  return found.sort();
}

/** Call with the exclusive lock: nobody is making or trying anything then. */
async function removeLeftovers(directory: string, kind: SnapshotKind): Promise<void> {
  for (const name of await readdir(directory))
    if (name.startsWith(trialPrefix)) await removeDirectoryTree(join(directory, name));
  for (const [algorithm, name] of await entriesBelow(directory))
    if (isStagingOf(algorithm, name, kind)) await removeDirectoryTree(join(directory, algorithm, name));
}

/**
 * True when there are snapshots of a kind in a directory, which may be missing, or parts of them that a killed process left:
 * what only whoever made them can remove.
 */
export async function hasSnapshots(directory: string, kind: SnapshotKind): Promise<boolean> {
  try {
    return (await entriesBelow(directory)).some(
      ([algorithm, name]) =>
        chainIdOf(algorithm, name, kind) !== undefined || isStagingOf(algorithm, name, kind),
    );
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return false;
    throw error;
  }
}

async function entriesBelow(directory: string): Promise<readonly (readonly [string, string])[]> {
  const found: (readonly [string, string])[] = [];
  for (const algorithm of await readdir(directory)) {
    try {
      for (const name of await readdir(join(directory, algorithm))) found.push([algorithm, name]);
    } catch (error) {
      if (!hasErrno(error, 'ENOTDIR', 'ENOENT')) throw error;
    }
  }
  return found;
}
