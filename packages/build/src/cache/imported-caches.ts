import {
  createHasher,
  type Descriptor,
  type Digest,
  decompress,
  layerCompression,
  type Store,
} from '@ocijs/image';
import { BuildError } from '../errors.ts';
import { type CachedLayer, type CachedMount, type CacheRecord, parseCacheConfig } from './cache-config.ts';

/** A cache outside of the store, in a registry or a directory. */
export interface CacheSource {
  /** What a person calls it. */
  readonly name: string;
  /** What is in it (`application/vnd.buildkit.cacheconfig.v0`). */
  readonly config: Uint8Array;
  /** The bytes of one of its blobs. */
  openBlob(
    descriptor: Descriptor,
    options: { readonly signal?: AbortSignal | undefined },
  ): AsyncIterable<Uint8Array>;
}

/** What other caches promise. Nothing is fetched before it is needed, and nothing is used that is not what was promised. */
export interface ImportedCaches {
  find(key: string): CacheRecord | undefined;
  /** True when a cache has such a layer. */
  has(diffId: Digest): boolean;
  /**
   * Brings a layer into the store.
   *
   * @throws BuildError `ERR_OCI_BUILD_CACHE_INVALID` when it is not what its cache says.
   */
  bring(diffId: Digest): Promise<Descriptor | undefined>;
  mount(name: string): CachedMount | undefined;
  /** Brings the archive of a cache mount into the store. */
  bringMount(mount: CachedMount): Promise<Descriptor>;
}

interface Offer<Found extends CachedLayer> {
  readonly found: Found;
  readonly source: CacheSource;
}

/** Opens caches; of several that know a step, the first one counts. */
export function openImportedCaches(
  store: Store,
  sources: readonly CacheSource[],
  { signal }: { readonly signal?: AbortSignal | undefined },
): ImportedCaches {
  const records = new Map<string, CacheRecord>();
  const layers = new Map<Digest, Offer<CachedLayer>>();
  const mounts = new Map<string, Offer<CachedMount>>();
  for (const source of sources) {
    const config = parseCacheConfig(source.config, source.name);
    for (const record of config.records) {
      if (records.has(record.key)) continue;
      records.set(record.key, record);
      if (record.layer !== undefined && !layers.has(record.layer.diffId))
        layers.set(record.layer.diffId, { found: record.layer, source });
    }
    for (const mount of config.mounts)
      if (!mounts.has(mount.name)) mounts.set(mount.name, { found: mount, source });
  }

  async function fetchLayer({ found, source }: Offer<CachedLayer>): Promise<Descriptor> {
    const { descriptor, diffId } = found;
    if ((await store.size(descriptor.digest)) !== descriptor.size) {
      await using ingest = await store.ingest(descriptor, { signal });
      if ((await store.size(descriptor.digest)) !== descriptor.size) {
        await ingest.reset();
        for await (const chunk of source.openBlob(descriptor, { signal })) await ingest.write(chunk);
      }
      await ingest.commit();
    }
    const compression = layerCompression(descriptor.mediaType) ?? 'auto';
    const hasher = createHasher('sha256');
    for await (const chunk of decompress(store.read(descriptor, { signal }), { compression, signal }))
      hasher.update(chunk);
    const actual = hasher.digest();
    if (actual === diffId) return descriptor;
    throw new BuildError('ERR_OCI_BUILD_CACHE_INVALID', `the cache ${source.name} lies about a layer`, {
      digest: descriptor.digest,
      expected: diffId,
      actual,
      hint: 'build without this --cache-from',
    });
  }

  const bringing = new Map<Digest, Promise<Descriptor>>();
  return {
    find: (key) => records.get(key),
    has: (diffId) => layers.has(diffId),
    async bring(diffId) {
      const offer = layers.get(diffId);
      if (offer === undefined) return undefined;
      const started = bringing.get(diffId) ?? fetchLayer(offer);
      bringing.set(diffId, started);
      return started;
    },
    mount: (name) => mounts.get(name)?.found,
    bringMount: async (mount) => {
      const offer = mounts.get(mount.name);
      return offer === undefined ? mount.descriptor : fetchLayer(offer);
    },
  };
}
