import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Descriptor, formatPlatform, type ImageSource, isOciError, type OnEvent } from '@ocijs/image';
import { available } from '@ocijs/linux';
import type { Bundle } from '../bundle.ts';
import { BundleError } from '../errors.ts';
import { mapId } from '../id-map.ts';
import { type LayerLimits, layersAhead } from '../limits.ts';
import { recordPath, recordsPath } from '../repack/record/read-records.ts';
import { takeStamp } from '../repack/stamp.ts';
import type { ApplyOptions } from '../rootfs/layer-context.ts';
import type { IdMapping } from '../spec/types.ts';
import { writeState } from '../state.ts';
import { hasOneUser, type NamespaceIds, namespaceIds } from '../user-namespace.ts';
import { startLayerThread } from './layer-thread.ts';
import { type PlannedLayer, planLayers } from './plan.ts';
import { removeDirectoryTree } from './remove-directory.ts';
import { runtimeConfig } from './runtime-config.ts';
import { stageDirectory } from './staging.ts';

/** Options of {@link unpack}. */
export interface UnpackOptions {
  /** Make `directory` the root file system itself, without `config.json`. */
  readonly rootfsOnly?: boolean;
  /**
   * Keep owners and devices out: all files belong to the caller, devices become empty files, and attributes that
   * need privileges are left out with a warning. By default for everyone but root.
   */
  readonly rootless?: boolean;
  /** Which users on the host stand for those of the image; as they are by default. Not with `rootless`. */
  readonly uidMap?: readonly IdMapping[];
  /** The same for groups. */
  readonly gidMap?: readonly IdMapping[];
  /**
   * This process is root of a user namespace with subordinate ids: the bundle's container gets one with the same ids, so that
   * whoever made this one can run it. Not with `rootless`, nor with maps.
   */
  readonly sharesNamespace?: boolean;
  /** A directory of a layer that meets a link to a directory is unpacked through the link. False by default. */
  readonly keepDirlinks?: boolean;
  /**
   * The directory of the snapshots of the image's store, see `openSnapshots`. When it has all layers, their files are taken
   * from there: shared where the file system can (reflinks), else copied. The result is the same; the blobs are not read.
   */
  readonly snapshots?: string | undefined;
  /**
   * Where the image's content is when no store has it: `registry` for one that is unpacked while it is fetched, so that a
   * repack knows that it can ask the registry that the image's name tells.
   */
  readonly origin?: 'registry' | undefined;
  /** Against layers that are made to fill disks or to take for ever; see `docs/limits.md`. */
  readonly limits?: LayerLimits | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: OnEvent | undefined;
}

/**
 * Unpacks an image into a bundle: `rootfs`, `config.json`, and what a repack needs, `oci.json` and `oci.layers`, in
 * `directory` (mode 0700), which must not exist or be empty. Every byte is verified against manifest and configuration;
 * nothing but `directory` is written to, whatever the layers contain; and the directory appears complete or not at all,
 * also when `signal` aborts.
 *
 * Throws ERR_OCI_BUNDLE_EXISTS, ERR_OCI_LAYER_INVALID, ERR_OCI_LAYER_ESCAPE, ERR_OCI_UNPACK_DENIED,
 * ERR_OCI_UNPACK_FAILED, ERR_OCI_USER_NOT_FOUND, ERR_OCI_PLATFORM_UNSUPPORTED (needs Linux), and of `@ocijs/image`
 * what tells damaged or unsupported content, such as ERR_OCI_DIGEST_MISMATCH.
 */
export async function unpack(
  image: ImageSource,
  directory: string,
  options: UnpackOptions = {},
): Promise<Bundle> {
  options.signal?.throwIfAborted();
  requireLinux();
  const layers = planLayers(image);
  const rootless = options.rootless ?? process.getuid?.() !== 0;
  const apply: ApplyOptions = {
    rootless,
    placeholderDevices: rootless || (await inUserNamespace()),
    uidMap: options.uidMap ?? [],
    gidMap: options.gidMap ?? [],
    keepDirlinks: options.keepDirlinks ?? false,
  };
  const userNamespace = options.sharesNamespace ? requireNamespace() : undefined;
  const staging = await stageDirectory(directory);
  try {
    const rootfs = join(staging.directory, 'rootfs');
    await makeRootfs(rootfs, apply);
    const records = options.rootfsOnly ? undefined : staging.directory;
    if (records !== undefined) await mkdir(recordsPath(records), { mode: 0o700 });
    // Files cannot be moved out of a subvolume.
    const canBeSubvolume = !(staging.isInside && options.rootfsOnly);
    if (!(await copied(image, { ...options, rootfs, apply, records, canBeSubvolume })))
      await applyLayers(image, layers, { ...options, rootfs, apply, records });
    const config = runtimeConfig(image.config, { rootfs, userNamespace, ...apply });
    const { name, descriptor } = image;
    if (!options.rootfsOnly) {
      await writeState(staging.directory, {
        version: 1,
        image: {
          name,
          digest: descriptor.digest,
          mediaType: descriptor.mediaType,
          size: descriptor.size,
          platform: formatPlatform(image.platform),
          layers: layers.map((layer) => layer.descriptor.digest),
          ...(options.origin === undefined ? {} : { origin: options.origin }),
        },
        rootless,
        uidMap: apply.uidMap,
        gidMap: apply.gidMap,
        ...(userNamespace === undefined ? {} : { userNamespace }),
        placeholderDevices: apply.placeholderDevices,
        keepDirlinks: apply.keepDirlinks,
        stamp: await takeStamp(staging.directory, rootfs),
      });
      await writeFile(join(staging.directory, 'config.json'), `${JSON.stringify(config, null, 2)}\n`, {
        flag: 'wx',
      });
    }
    options.signal?.throwIfAborted();
    await staging.commit(options.rootfsOnly ? { only: 'rootfs' } : {});
    const { target } = staging;
    return {
      directory: target,
      rootfs: options.rootfsOnly ? target : join(target, 'rootfs'),
      config,
      image: { name, digest: descriptor.digest },
    };
  } catch (error) {
    await staging.discard();
    throw error;
  }
}

/** The ids of a namespace in which files can be given to others than root. */
function requireNamespace(): NamespaceIds {
  const ids = namespaceIds();
  if (ids !== undefined && !hasOneUser(ids)) return ids;
  throw new BundleError(
    'ERR_OCI_UNPACK_DENIED',
    'this process has no user namespace with other users than root',
    {
      hint: 'it takes subordinate ids in /etc/subuid and /etc/subgid',
    },
  );
}

/** The same to start from, whatever the umask and the time. */
export async function makeRootfs(path: string, apply: ApplyOptions): Promise<void> {
  await mkdir(path);
  await prepareRoot(path, apply);
}

/** The rest of {@link makeRootfs}, for a directory that is there. */
export async function prepareRoot(path: string, { rootless, uidMap, gidMap }: ApplyOptions): Promise<void> {
  if (!rootless) {
    const uid = mapId(0, { mappings: uidMap, kind: 'user' });
    await chown(path, uid, mapId(0, { mappings: gidMap, kind: 'group' }));
  }
  await chmod(path, 0o755);
  await utimes(path, 0, 0);
}

interface ApplyLayersOptions extends UnpackOptions {
  readonly rootfs: string;
  readonly apply: ApplyOptions;
  /** The bundle that gets a record of each layer. */
  readonly records: string | undefined;
}

/** Takes the files from snapshots; false when they have to be unpacked. Limits are not known to hold for what is there. */
async function copied(
  image: ImageSource,
  { snapshots, limits, ...options }: ApplyLayersOptions & { readonly canBeSubvolume: boolean },
): Promise<boolean> {
  if (snapshots === undefined || limits !== undefined) return false;
  const { copySnapshots } = await import('../snapshots/copy-snapshots.ts');
  try {
    return await copySnapshots(image, { ...options, snapshots });
  } catch (error) {
    // Snapshots of another user, or holes that a copy would fill.
    if (!isOciError(error, 'ERR_OCI_SNAPSHOT_UNSUPPORTED')) throw error;
    await removeDirectoryTree(options.rootfs);
    await makeRootfs(options.rootfs, options.apply);
    return false;
  }
}

async function applyLayers(
  image: ImageSource,
  layers: readonly PlannedLayer[],
  { rootfs, apply: options, limits, records, signal, onEvent }: ApplyLayersOptions,
): Promise<void> {
  const total = layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
  onEvent?.({ type: 'unpack-start', layers: layers.length, total });
  if (layers.length === 0) return;
  const warned = new Set<string>();
  await using thread = startLayerThread({ totalSize: total });
  // A failed layer ends the others.
  const failed = new AbortController();
  const stop = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);

  async function apply({ descriptor, diffId }: PlannedLayer, index: number): Promise<void> {
    const { digest, size, mediaType } = descriptor;
    const progress = (done: number): void =>
      onEvent?.({ type: 'layer-progress', index, digest, total: size, done });
    const file = localFile(image, descriptor);
    const entries = await thread.apply(
      {
        ...options,
        rootfs,
        descriptor: { digest, size, mediaType },
        diffId,
        file,
        limits,
        ...(records === undefined ? {} : { record: recordPath(records, index) }),
      },
      {
        signal: stop,
        openBlob: () => image.openBlob(descriptor, { signal: stop }),
        onProgress: progress,
        onWarning: ({ code, message }) => {
          if (!warned.has(code)) onEvent?.({ type: 'warning', code, message });
          warned.add(code);
        },
      },
    );
    progress(size);
    onEvent?.({ type: 'layer-done', index, digest, entries });
  }

  await inOrder(layers, { ahead: layersAhead, run: apply, onFailure: (error) => failed.abort(error) });
}

interface InOrderOptions<Item> {
  /** How many may run at once. */
  readonly ahead: number;
  readonly run: (item: Item, index: number) => Promise<void>;
  readonly onFailure: (error: unknown) => void;
}

/** Starts to work on items in their order. Ends when nothing runs any more; throws what the first one of them threw. */
async function inOrder<Item>(
  items: readonly Item[],
  { ahead, run, onFailure }: InOrderOptions<Item>,
): Promise<void> {
  const running: Promise<void>[] = [];
  try {
    for (const [index, item] of items.entries()) {
      if (running.length >= ahead) await running.shift();
      const started = run(item, index);
      started.catch(() => undefined);
      running.push(started);
    }
    while (running.length > 0) await running.shift();
  } catch (error) {
    onFailure(error);
    await Promise.allSettled(running);
    throw error;
  }
}

/** The blob's file if it is there; when it is not, opening the blob tells why. */
export function localFile(image: ImageSource, descriptor: Descriptor): string | undefined {
  const file = image.blobFile?.(descriptor);
  return file !== undefined && existsSync(file) ? file : undefined;
}

/** Throws ERR_OCI_PLATFORM_UNSUPPORTED where no layers can be applied. */
export function requireLinux(): void {
  if (available()) return;
  throw new BundleError(
    'ERR_OCI_PLATFORM_UNSUPPORTED',
    `images are unpacked on Linux only, this is ${process.platform} on ${process.arch}`,
    { actual: process.platform, hint: 'run it in a Linux virtual machine or container' },
  );
}

/** Root of a user namespace may not make devices, nor set some attributes. */
export async function inUserNamespace(): Promise<boolean> {
  const map = await readFile('/proc/self/uid_map', 'utf8');
  return map.trim().split(/\s+/).join(' ') !== '0 0 4294967295';
}
