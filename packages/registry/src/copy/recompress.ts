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
    open,
    diffId,
    signal,
  }: {
    open(): AsyncIterable<Uint8Array>;
    readonly diffId: Digest | undefined;
    readonly signal: AbortSignal | undefined;
  },
): Promise<RecompressedLayer> {
  // Docker's tools look at the bytes rather than at the media type, and skopeo writes uncompressed layers as gzip.
  const compression = layer.mediaType.startsWith('application/vnd.docker.') ? 'auto' : recompress.from;
  const tar = decompress(open(), { compression, signal });
  // Without compression the digest of the file is the diffID: no need to compute it twice.
  const isPlain = recompress.to === 'none' && (diffId === undefined || digestAlgorithm(diffId) === 'sha256');
  const checked = isPlain ? tar : withDiffId(tar, { layer, diffId });
  const bytes = compress(checked, { compression: recompress.to, signal });
  const file: Spool = await spool(bytes, { what: `layer ${layer.digest}`, signal });
  if (isPlain && diffId !== undefined && file.digest !== diffId) {
    await file[Symbol.asyncDispose]();
    throw otherLayer(layer, { expected: diffId, actual: file.digest });
  }
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
  throw otherLayer(layer, { expected: diffId, actual });
}

function otherLayer(
  { digest }: Descriptor,
  { expected, actual }: { readonly expected: Digest; readonly actual: Digest },
): ImageError {
  return new ImageError(
    'ERR_OCI_DIGEST_MISMATCH',
    `layer ${digest} has the diffID ${actual}, not ${expected}`,
    {
      digest,
      expected,
      actual,
      hint: 'the config and the layers of the image do not belong together; do not trust it',
    },
  );
}
