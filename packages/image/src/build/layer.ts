import { compress } from '../compression/compress.ts';
import type { Compression } from '../compression/types.ts';
import type { Descriptor } from '../descriptor.ts';
import type { Digest } from '../digest/digest.ts';
import { createHasher, digestBytes, type Hasher } from '../digest/hasher.ts';
import { ImageError } from '../errors.ts';
import { BUILT_LAYER_LIMIT } from '../limits.ts';
import { MediaType } from '../media-types.ts';
import { type TarWriteEntry, writeTar } from '../tar/write-tar.ts';

/** A layer that an image can be written with. */
export interface ImageLayer {
  readonly descriptor: Descriptor;
  /** The digest of the uncompressed archive (image-spec `config.md`, "Layer DiffID"). */
  readonly diffId: Digest;
  /** The blob; not needed when the store has it. */
  readonly bytes?: Uint8Array | undefined;
  /** What the image's history says of the layer; default: `oci build`. */
  readonly createdBy?: string | undefined;
}

/** A layer in memory. */
export interface BuiltLayer extends ImageLayer {
  readonly bytes: Uint8Array;
}

/** Options of {@link buildLayer}. */
export interface BuildLayerOptions {
  /** Default gzip. */
  readonly compression?: Compression | undefined;
  /** 1 to 9 for gzip, 1 to 19 for zstd. */
  readonly level?: number | undefined;
  /** For the image's history. */
  readonly createdBy?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

const mediaTypes: Readonly<Record<Compression, string>> = {
  gzip: MediaType.layerGzip,
  zstd: MediaType.layerZstd,
  none: MediaType.layer,
};

/**
 * Makes a layer of tar entries, in their order; a parent directory should come before what is in it. Whiteouts are
 * entries like any other: a file `.wh.NAME`, or `.wh..wh..opq` (image-spec `layer.md`). Equal entries give equal bytes.
 *
 * The compressed layer is held in memory, 1 GiB at most: ERR_OCI_LIMIT_EXCEEDED. Throws what `writeTar` throws.
 */
export async function buildLayer(
  entries: Iterable<TarWriteEntry> | AsyncIterable<TarWriteEntry>,
  { compression = 'gzip', level, createdBy, signal }: BuildLayerOptions = {},
): Promise<BuiltLayer> {
  signal?.throwIfAborted();
  const hasher = createHasher('sha256');
  const archive = hashed(writeTar(entries, { signal }), hasher);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of compress(archive, { compression, level, signal })) {
    size += chunk.length;
    if (size > BUILT_LAYER_LIMIT)
      throw new ImageError('ERR_OCI_LIMIT_EXCEEDED', `layer has more than ${BUILT_LAYER_LIMIT} bytes`, {
        limit: BUILT_LAYER_LIMIT,
      });
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  const descriptor = { mediaType: mediaTypes[compression], digest: digestBytes(bytes), size };
  return { descriptor, diffId: hasher.digest(), bytes, createdBy };
}

async function* hashed(source: AsyncIterable<Uint8Array>, hasher: Hasher): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    hasher.update(chunk);
    yield chunk;
  }
}
