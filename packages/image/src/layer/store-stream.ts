import { randomAccess } from '../archive/random-access.ts';
import type { Descriptor } from '../descriptor.ts';
import { createHasher } from '../digest/hasher.ts';
import type { ReadBlobOptions } from '../source.ts';
import type { ContentStore } from '../store/content-store.ts';
import { inStore } from '../store/failure.ts';
import { openScratchFile } from '../store/scratch-file.ts';
import type { Store } from '../store/store.ts';
import { type Spool, spool, writeAll } from '../transport/spool.ts';

/** A store that layers are written to; one with a directory gets its scratch files there. */
export type LayerStore = Pick<ContentStore, 'ingest' | 'size' | 'read'> & Partial<Pick<Store, 'directory'>>;

/** Options of {@link storeStream}. */
export interface StoreStreamOptions extends ReadBlobOptions {
  readonly mediaType: string;
}

/**
 * Stores a stream whose digest is known only at its end, and returns its descriptor. Until then the bytes are in a file
 * without a name beside the blobs, so that a process that dies leaves nothing.
 */
export async function storeStream(
  store: LayerStore,
  source: AsyncIterable<Uint8Array>,
  { mediaType, signal }: StoreStreamOptions,
): Promise<Descriptor> {
  signal?.throwIfAborted();
  const { directory } = store;
  await using file =
    directory === undefined
      ? await spool(source, { what: 'layer', signal })
      : await scratch(source, { directory, signal });
  const descriptor: Descriptor = { mediaType, digest: file.digest, size: file.size };
  await using ingest = await store.ingest(descriptor, { signal });
  if ((await store.size(descriptor.digest)) === descriptor.size) return descriptor;
  await ingest.reset();
  for await (const chunk of file.chunks({ offset: 0, length: file.size }, { signal }))
    await ingest.write(chunk);
  await ingest.commit();
  return descriptor;
}

async function scratch(
  source: AsyncIterable<Uint8Array>,
  { directory, signal }: { readonly directory: string; readonly signal: AbortSignal | undefined },
): Promise<Spool> {
  const handle = await openScratchFile({ directory });
  try {
    const hasher = createHasher('sha256');
    let size = 0;
    for await (const chunk of source) {
      signal?.throwIfAborted();
      const position = size;
      // Hashed while the kernel writes.
      const written = inStore(directory, () => writeAll(handle, chunk, position));
      hasher.update(chunk);
      size += chunk.length;
      await written;
    }
    return { ...(await randomAccess(handle, directory)), digest: hasher.digest() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}
