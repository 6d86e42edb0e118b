import type { ImageLayer } from '../build/layer.ts';
import { compress } from '../compression/compress.ts';
import { createHasher, type Hasher } from '../digest/hasher.ts';
import { createTarParser } from '../tar/parser.ts';
import { readTar } from '../tar/reader.ts';
import { type TarWriteEntry, writeTar } from '../tar/write-tar.ts';
import { estargz, zstdChunked } from './chunked/trailer.ts';
import { writeChunked } from './chunked/write-chunked.ts';
import { type LayerFormat, layerMediaType } from './format.ts';
import { type LayerStore, storeStream } from './store-stream.ts';

/** What is in a layer: entries in their order, or an archive whose bytes stay as they are. */
export type LayerContent =
  | { readonly entries: Iterable<TarWriteEntry> | AsyncIterable<TarWriteEntry> }
  | { readonly tar: AsyncIterable<Uint8Array> };

/** Options of {@link writeLayer}. */
export interface WriteLayerOptions {
  /** Default gzip. The two with a table of contents write an archive anew, entry by entry. */
  readonly format?: LayerFormat | undefined;
  /** 1 to 9 for gzip (default 6), 1 to 19 for zstd (default 3). */
  readonly level?: number | undefined;
  /** For the image's history. */
  readonly createdBy?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes a layer into a store while it is made; nothing of it is held in memory. gzip and the two formats with a
 * table of contents are compressed on several threads, and the bytes do not depend on how many. Equal content
 * gives equal bytes: nothing of the clock or the machine is in them.
 *
 * Throws ERR_OCI_TAR_INVALID, RangeError for a level that there is not, what the content and the store throw.
 */
export async function writeLayer(
  store: LayerStore,
  content: LayerContent,
  { format = 'gzip', level, createdBy, signal }: WriteLayerOptions = {},
): Promise<ImageLayer> {
  signal?.throwIfAborted();
  const hasher = createHasher('sha256');
  let annotations: Readonly<Record<string, string>> = {};
  async function* chunked(): AsyncGenerator<Uint8Array> {
    const entries = 'tar' in content ? entriesOf(content.tar, signal) : content.entries;
    const pieces =
      format === 'estargz' ? estargz(checked(level ?? 6, 9)) : zstdChunked(checked(level ?? 3, 19));
    const onTar = (bytes: Uint8Array): void => hasher.update(bytes);
    annotations = yield* writeChunked(entries, { format: pieces, onTar, signal });
  }
  function plain(compression: 'gzip' | 'zstd' | 'none'): AsyncIterable<Uint8Array> {
    const tar = 'tar' in content ? checkedTar(content.tar) : writeTar(content.entries, { signal });
    return compress(hashed(tar, hasher), { compression, level, signal });
  }
  const bytes = format === 'estargz' || format === 'zstd:chunked' ? chunked() : plain(format);
  const stored = await storeStream(store, bytes, { mediaType: layerMediaType(format), signal });
  const descriptor = Object.keys(annotations).length === 0 ? stored : { ...stored, annotations };
  return { descriptor, diffId: hasher.digest(), createdBy };
}

/** The entries of an archive; only files have bodies. */
async function* entriesOf(
  tar: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<TarWriteEntry> {
  for await (const { header, body } of readTar(tar, { signal }))
    yield header.type === 'file' ? { header, body } : { header };
}

/** Passes an archive on, and fails before its end when it is none. */
async function* checkedTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const parser = createTarParser({ entry: () => undefined, data: () => undefined, end: () => undefined });
  for await (const chunk of source) {
    parser.push(chunk);
    yield chunk;
  }
  parser.finish();
}

async function* hashed(source: AsyncIterable<Uint8Array>, hasher: Hasher): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    hasher.update(chunk);
    yield chunk;
  }
}

function checked(level: number, maximum: number): number {
  if (Number.isInteger(level) && level >= 1 && level <= maximum) return level;
  throw new RangeError(`the compression level ${level} is not an integer from 1 to ${maximum}`);
}
