import { directoryEntries, lockDirectory } from '@ocijs/bundle';
import {
  type Descriptor,
  type Digest,
  encodeJson,
  type Manifest,
  MediaType,
  type Store,
  writeLayer,
} from '@ocijs/image';
import {
  CACHE_CONFIG_TYPE,
  type CacheConfig,
  type CachedMount,
  type CacheRecord,
  cacheDocument,
  uniqueLayers,
} from './cache-config.ts';
import type { NotedStep } from './step-cache.ts';
import type { CacheFormat, StepLayers } from './step-layers.ts';

/** What goes into a cache that is to be kept outside of the store. */
export interface CacheExport {
  /** `min`: the steps whose layers the image has; `max`: those of all stages. `min` unless given. */
  readonly mode?: 'min' | 'max' | undefined;
  /** Also what is in the cache mounts that the build has used. Whoever reads the cache sees it. */
  readonly mounts?: boolean | undefined;
  /** How layers are compressed; gzip, as the image has them, unless given. */
  readonly format?: CacheFormat | undefined;
}

/** A cache mount of this build: its name, and its directory in the store. */
export interface NotedMount {
  readonly name: string;
  readonly directory: string;
}

export interface CollectOptions extends CacheExport {
  readonly store: Store;
  readonly layers: StepLayers;
  /** The diff ids of the image. */
  readonly image: readonly Digest[];
  readonly steps: Iterable<NotedStep>;
  /** Leave out what depends on what was known before. */
  readonly reproducible?: boolean | undefined;
  readonly usedMounts: Iterable<NotedMount>;
  readonly signal?: AbortSignal | undefined;
}

/** Puts together what is to be exported; its blobs are in the store. */
export async function collectCache(options: CollectOptions): Promise<CacheConfig> {
  const { mode = 'min', image, layers, steps, format, usedMounts, mounts = false } = options;
  const records: CacheRecord[] = [];
  for (const { key, lower, result, isSecond } of steps) {
    if (isSecond === true && options.reproducible === true) continue;
    const own = result.layer === undefined ? lower : [...lower, result.layer.diffId];
    if (mode === 'min' && !own.every((diffId, index) => image[index] === diffId)) continue;
    const layer =
      result.layer === undefined ? undefined : await layers.compressed(result.layer, lower, format);
    records.push({ key, layer });
  }
  const kept: CachedMount[] = [];
  if (mounts) for (const mount of usedMounts) kept.push(await exportMount(mount, options));
  return { records, mounts: kept };
}

async function exportMount(
  { name, directory }: NotedMount,
  { store, format = 'gzip', signal }: CollectOptions,
): Promise<CachedMount> {
  using _lock = await lockDirectory(directory, { exclusive: true, signal });
  const entries = directoryEntries(directory, { owners: 'disk', signal });
  const { descriptor, diffId } = await writeLayer(store, { entries }, { format, signal });
  return { name, descriptor, diffId };
}

/** One cache of several, such as those of the platforms of one build; the first that knows a step counts. */
export function mergeCaches(caches: readonly CacheConfig[]): CacheConfig {
  const byKey = new Map(caches.flatMap(({ records }) => records.map((each) => [each.key, each] as const)));
  const byName = new Map(caches.flatMap(({ mounts }) => mounts.map((each) => [each.name, each] as const)));
  return { records: [...byKey.values()], mounts: [...byName.values()] };
}

/** A cache as an OCI image manifest in a store, whose layers are those of the cache. */
export async function writeCacheManifest(
  store: Pick<Store, 'put'>,
  cache: CacheConfig,
): Promise<{ readonly descriptor: Descriptor; readonly manifest: Manifest; readonly bytes: Uint8Array }> {
  const layers = uniqueLayers([
    ...cache.records.flatMap(({ layer }) => (layer === undefined ? [] : [layer])),
    ...cache.mounts,
  ]);
  const config = await store.put(encodeJson(cacheDocument(cache)), { mediaType: CACHE_CONFIG_TYPE });
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MediaType.manifest,
    config,
    layers: layers.map(({ descriptor, diffId }) => ({
      ...descriptor,
      annotations: { 'containerd.io/uncompressed': diffId },
    })),
  };
  const bytes = encodeJson(manifest);
  return { descriptor: await store.put(bytes, { mediaType: MediaType.manifest }), manifest, bytes };
}
