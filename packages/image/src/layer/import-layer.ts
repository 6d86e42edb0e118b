import type { ImageLayer } from '../build/layer.ts';
import { decompress } from '../compression/decompress.ts';
import { detectCompression, MAGIC_BYTES } from '../compression/detect.ts';
import { createHasher } from '../digest/hasher.ts';
import { createTarParser } from '../tar/parser.ts';
import { layerMediaType } from './format.ts';
import { type LayerStore, storeStream } from './store-stream.ts';
import { writeLayer } from './write-layer.ts';

/** Options of {@link importLayer}. */
export interface ImportLayerOptions {
  /** How the layer is to be compressed. */
  readonly compression: 'gzip' | 'zstd';
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes a layer of an archive, compressed or not. What is compressed as the layer is to be keeps its bytes, and is only
 * read; anything else is compressed anew. Throws ERR_OCI_TAR_INVALID when there is no archive in it.
 */
export async function importLayer(
  store: LayerStore,
  source: AsyncIterable<Uint8Array>,
  { compression, signal }: ImportLayerOptions,
): Promise<ImageLayer> {
  const chunks = source[Symbol.asyncIterator]();
  const head: Uint8Array[] = [];
  let length = 0;
  while (length < MAGIC_BYTES) {
    const { value, done } = await chunks.next();
    if (done === true) break;
    head.push(value);
    length += value.length;
  }
  async function* whole(): AsyncGenerator<Uint8Array> {
    try {
      yield* head;
      for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
    } finally {
      await chunks.return?.();
    }
  }
  const found = detectCompression(Buffer.concat(head));
  if (found !== compression)
    return writeLayer(store, { tar: decompress(whole(), { signal }) }, { format: compression, signal });
  const descriptor = await storeStream(store, whole(), { mediaType: layerMediaType(compression), signal });
  const hasher = createHasher('sha256');
  const parser = createTarParser({ entry: () => undefined, data: () => undefined, end: () => undefined });
  for await (const chunk of decompress(store.read(descriptor, { signal }), { compression, signal })) {
    hasher.update(chunk);
    parser.push(chunk);
  }
  parser.finish();
  return { descriptor, diffId: hasher.digest() };
}
