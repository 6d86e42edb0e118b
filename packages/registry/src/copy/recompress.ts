import {
  compress,
  createHasher,
  type Descriptor,
  type Digest,
  decompress,
  digestAlgorithm,
  ImageError,
  type Spool,
  spool,
} from '@ocijs/image';
import type { LayerPlan } from './plan.ts';

/** A layer with other compression, in a temporary file. */
export interface RecompressedLayer extends AsyncDisposable {
  readonly descriptor: Descriptor;
  open(): AsyncIterable<Uint8Array>;
}

/** Annotations about the compressed bytes, which are others now: tables of contents of eStargz and zstd:chunked. */
const aboutBytes =
  /^(?:containerd\.io\/snapshot\/stargz\/|io\.github\.containers\.zstd-chunked\.|io\.containers\.estargz\.)/;

/**
 * Compresses a layer anew. The uncompressed bytes must be those that the config promises (ERR_OCI_DIGEST_MISMATCH), so
 * that the layer is still the same one.
 */
export async function recompressLayer(
  { layer, mediaType, recompress }: LayerPlan & { readonly recompress: NonNullable<LayerPlan['recompress']> },
  {
    source,
    diffId,
    signal,
  }: {
    readonly source: AsyncIterable<Uint8Array>;
    readonly diffId: Digest | undefined;
    readonly signal: AbortSignal | undefined;
  },
): Promise<RecompressedLayer> {
  const tar = decompress(source, { compression: recompress.from, signal });
  const bytes = compress(withDiffId(tar, { layer, diffId }), { compression: recompress.to, signal });
  const file: Spool = await spool(bytes, { what: `layer ${layer.digest}`, signal });
  const { data: _data, ...rest } = layer;
  return {
    descriptor: { ...rest, ...annotationsOf(layer), mediaType, digest: file.digest, size: file.size },
    open: () => file.chunks({ offset: 0, length: file.size }, { signal }),
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  };
}

function annotationsOf({ annotations }: Descriptor): Pick<Descriptor, 'annotations'> {
  if (annotations === undefined) return {};
  return {
    annotations: Object.fromEntries(Object.entries(annotations).filter(([name]) => !aboutBytes.test(name))),
  };
}

async function* withDiffId(
  tar: AsyncIterable<Uint8Array>,
  { layer, diffId }: { readonly layer: Descriptor; readonly diffId: Digest | undefined },
): AsyncGenerator<Uint8Array> {
  const hasher = createHasher(diffId === undefined ? 'sha256' : digestAlgorithm(diffId));
  for await (const chunk of tar) {
    hasher.update(chunk);
    yield chunk;
  }
  const actual = hasher.digest();
  if (diffId === undefined || actual === diffId) return;
  throw new ImageError(
    'ERR_OCI_DIGEST_MISMATCH',
    `layer ${layer.digest} has the diffID ${actual}, not ${diffId}`,
    {
      digest: layer.digest,
      expected: diffId,
      actual,
      hint: 'the config and the layers of the image do not belong together; do not trust it',
    },
  );
}
