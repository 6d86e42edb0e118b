import type { BuildResult } from '@ocijs/build';
import type { Descriptor, Store } from '@ocijs/image';
import type { RegistryOptions } from '@ocijs/registry';
import type { CachePlace, CacheTarget } from './cache-flags.ts';

export interface WriteCachesOptions {
  readonly store: Store;
  readonly registry: RegistryOptions;
  readonly signal: AbortSignal;
  readonly onWarning: (message: string) => void;
}

/** What is to be put together for `--cache-to`; the image itself is the place of an inline cache. */
export function exportedTargets(
  targets: readonly CacheTarget[],
): readonly (CacheTarget & { readonly place: CachePlace })[] {
  return targets.flatMap(({ place, ...target }) => (place === 'inline' ? [] : [{ ...target, place }]));
}

/** Writes the caches of all platforms to their places. */
export async function writeCaches(
  targets: readonly CacheTarget[],
  results: readonly BuildResult[],
  options: WriteCachesOptions,
): Promise<void> {
  const { mergeCaches, writeCacheManifest } = await import('@ocijs/build');
  for (const [index, { place, ignoresErrors }] of exportedTargets(targets).entries()) {
    try {
      const cache = mergeCaches(results.flatMap(({ caches }) => caches.slice(index, index + 1)));
      const { manifest, descriptor, bytes } = await writeCacheManifest(options.store, cache);
      const blobs = [manifest.config, ...manifest.layers];
      await (place.type === 'registry'
        ? writeToRegistry(place.reference, { ...options, blobs, bytes, descriptor })
        : writeToLayout(place, { ...options, blobs, bytes, descriptor }));
    } catch (error) {
      options.signal.throwIfAborted();
      if (!ignoresErrors) throw error;
      options.onWarning(`the cache was not written: ${error instanceof Error ? error.message : error}`);
    }
  }
}

interface CacheManifest extends WriteCachesOptions {
  readonly blobs: readonly Descriptor[];
  readonly bytes: Uint8Array;
  readonly descriptor: Descriptor;
}

async function writeToRegistry(
  name: string,
  { store, registry, blobs, bytes, descriptor, signal }: CacheManifest,
): Promise<void> {
  const { createRegistryClient } = await import('@ocijs/registry');
  const { parseReference } = await import('@ocijs/image');
  const { registry: host, repository, tag = 'latest' } = parseReference(name);
  await using client = createRegistryClient(host, { ...registry, signal });
  for (const blob of blobs)
    await client.uploadBlob(repository, blob, { open: () => store.read(blob, { signal }) });
  await client.putManifest(repository, tag, { bytes, mediaType: descriptor.mediaType });
}

async function writeToLayout(
  { directory, tag }: CachePlace & { readonly type: 'local' },
  { store, blobs, bytes, descriptor, signal }: CacheManifest,
): Promise<void> {
  const { createLayout } = await import('@ocijs/image');
  await using layout = await createLayout(directory, { signal });
  for (const blob of blobs) {
    await using ingest = await layout.ingest(blob, { signal });
    if ((await layout.size(blob.digest)) === blob.size) continue;
    await ingest.reset();
    for await (const chunk of store.read(blob, { signal })) await ingest.write(chunk);
    await ingest.commit();
  }
  await layout.put(bytes, { mediaType: descriptor.mediaType });
  await layout.tag(tag, descriptor);
}
