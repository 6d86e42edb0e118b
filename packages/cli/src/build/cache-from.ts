import type { CacheSource } from '@ocijs/build';
import type { Descriptor, Manifest, Store } from '@ocijs/image';
import type { RegistryOptions } from '@ocijs/registry';
import type { CachePlace } from './cache-flags.ts';

export interface OpenCacheOptions {
  readonly registry: RegistryOptions;
  readonly resources: AsyncDisposableStack;
  readonly signal: AbortSignal;
  /** Told of a cache that cannot be opened: the build goes on without it. */
  readonly onWarning: (message: string) => void;
}

/** Opens the caches of `--cache-from`, as far as they are there. */
export async function openCaches(
  places: readonly CachePlace[],
  options: OpenCacheOptions,
): Promise<readonly CacheSource[]> {
  const found: CacheSource[] = [];
  for (const place of places) {
    const name = place.type === 'registry' ? place.reference : place.directory;
    try {
      const source = await (place.type === 'registry'
        ? openRegistryCache(place.reference, options)
        : openLocalCache(place, options));
      if (source === undefined) options.onWarning(`${name} is no cache`);
      else found.push(source);
    } catch (error) {
      options.signal.throwIfAborted();
      options.onWarning(`no cache from ${name}: ${error instanceof Error ? error.message : error}`);
    }
  }
  return found;
}

async function openRegistryCache(
  name: string,
  { registry, resources, signal }: OpenCacheOptions,
): Promise<CacheSource | undefined> {
  const { createRegistryClient, remoteImage } = await import('@ocijs/registry');
  const { parseManifestOrIndex, parseReference } = await import('@ocijs/image');
  const reference = parseReference(name);
  const { repository, digest, tag = 'latest' } = reference;
  const client = resources.use(createRegistryClient(reference.registry, { ...registry, signal }));
  const { bytes, mediaType } = await client.getManifest(repository, digest ?? tag);
  const document = parseManifestOrIndex(bytes, { mediaType });
  if (document.kind === 'manifest') {
    const openBlob: CacheSource['openBlob'] = (descriptor, call) =>
      client.getBlob(repository, descriptor, call);
    const source = await cacheOf(document.manifest, { name, openBlob, signal });
    if (source !== undefined) return source;
  }
  const image = resources.use(await remoteImage(reference, { ...registry, signal }));
  return inlineCacheOf(image.config, {
    name,
    openBlob: (descriptor, call) => image.openBlob(descriptor, call),
  });
}

async function openLocalCache(
  { directory, tag }: CachePlace & { readonly type: 'local' },
  { resources, signal }: OpenCacheOptions,
): Promise<CacheSource | undefined> {
  const { openLayout, parseManifestOrIndex } = await import('@ocijs/image');
  const store: Store = resources.use(await openLayout(directory, { signal }));
  const descriptor = await store.resolve(tag);
  if (descriptor === undefined) return undefined;
  const document = parseManifestOrIndex(await store.readAll(descriptor, { signal }), {
    mediaType: descriptor.mediaType,
  });
  const openBlob: CacheSource['openBlob'] = (blob, call) => store.read(blob, call);
  const source =
    document.kind === 'manifest'
      ? await cacheOf(document.manifest, { name: directory, openBlob, signal })
      : undefined;
  if (source !== undefined) return source;
  const image = await store.image(descriptor, { signal });
  return inlineCacheOf(image.config, { name: directory, openBlob });
}

async function cacheOf(
  { config }: Manifest,
  { name, openBlob, signal }: Pick<CacheSource, 'name' | 'openBlob'> & { readonly signal: AbortSignal },
): Promise<CacheSource | undefined> {
  const { CACHE_CONFIG_TYPE, MAX_CACHE_CONFIG_BYTES } = await import('@ocijs/build');
  if (config.mediaType !== CACHE_CONFIG_TYPE) return undefined;
  const bytes = await readBlob(openBlob(config, { signal }), config, MAX_CACHE_CONFIG_BYTES);
  return { name, openBlob, config: bytes };
}

/** The bytes are verified by whoever opens the blob. */
async function readBlob(
  source: AsyncIterable<Uint8Array>,
  { size, digest }: Descriptor,
  limit: number,
): Promise<Uint8Array> {
  if (size > limit) throw new RangeError(`${digest} is larger than ${limit} bytes`);
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

async function inlineCacheOf(
  config: object,
  source: Pick<CacheSource, 'name' | 'openBlob'>,
): Promise<CacheSource | undefined> {
  const { readInlineCache } = await import('@ocijs/build');
  const bytes = readInlineCache(config);
  return bytes === undefined ? undefined : { ...source, config: bytes };
}
