import { decompress } from '../compression/decompress.ts';
import { layerCompression } from '../compression/detect.ts';
import type { Descriptor } from '../descriptor.ts';
import { type Digest, digestAlgorithm } from '../digest/digest.ts';
import { createHasher } from '../digest/hasher.ts';
import type { ImageErrorCode } from '../errors.ts';
import type { ImageSource } from '../source.ts';
import { createTarParser } from '../tar/parser.ts';
import { createDoubts } from './doubts.ts';
import { type Violation, violationOf } from './violation.ts';

/** What a look at a layer found. */
export interface LayerFindings {
  readonly violations: readonly Violation[];
  readonly entries: number;
}

/** Options of {@link checkLayer}. */
export interface CheckLayerOptions {
  readonly index: number;
  /** What the config says; undefined when it says nothing. */
  readonly diffId: Digest | undefined;
  readonly signal: AbortSignal | undefined;
  /** Receives the number of compressed bytes that were read so far. */
  readonly onProgress: (done: number) => void;
}

const distributionOptional = /nondistributable|foreign/;

/** Reads one layer once, and recomputes what manifest and config say of it. */
export async function checkLayer(
  image: ImageSource,
  layer: Descriptor,
  options: CheckLayerOptions,
): Promise<LayerFindings> {
  const { index, signal } = options;
  const place = { document: 'manifest', jsonPath: `$.layers[${index}]` } as const;
  const compression = layerCompression(layer.mediaType);
  if (compression === undefined) {
    const violation = {
      document: 'manifest',
      jsonPath: `${place.jsonPath}.mediaType`,
      code: 'ERR_OCI_MEDIA_TYPE_UNSUPPORTED',
      message: `${layer.mediaType} is not the media type of a layer`,
    } as const;
    return { violations: [violation, ...(await checkBytes(image, layer, options))], entries: 0 };
  }
  const archive = createArchiveCheck(options.diffId);
  try {
    const bytes = counted(image.openBlob(layer, { signal }), options.onProgress);
    for await (const chunk of decompress(bytes, { compression, signal })) archive.update(chunk);
  } catch (error) {
    signal?.throwIfAborted();
    const violation = violationOf(error, place);
    if (violation.code === 'ERR_OCI_BLOB_NOT_FOUND' && distributionOptional.test(layer.mediaType))
      return { violations: [], entries: 0 };
    // The bytes cannot be unpacked; whether they are those of the digest is still to be told.
    const ofBytes = compressionCodes.has(violation.code) ? await checkBytes(image, layer, options) : [];
    return { violations: [...ofBytes, violation], entries: archive.entries };
  }
  return { violations: archive.finish(index), entries: archive.entries };
}

const compressionCodes: ReadonlySet<ImageErrorCode> = new Set<ImageErrorCode>([
  'ERR_OCI_COMPRESSION_INVALID',
  'ERR_OCI_COMPRESSION_UNSUPPORTED',
  'ERR_OCI_LIMIT_EXCEEDED',
]);

/** Reads the blob for the sake of the gate alone. */
async function checkBytes(
  image: ImageSource,
  layer: Descriptor,
  { index, signal }: Pick<CheckLayerOptions, 'index' | 'signal'>,
): Promise<Violation[]> {
  try {
    const iterator = image.openBlob(layer, { signal })[Symbol.asyncIterator]();
    while ((await iterator.next()).done !== true) signal?.throwIfAborted();
    return [];
  } catch (error) {
    signal?.throwIfAborted();
    return [violationOf(error, { document: 'manifest', jsonPath: `$.layers[${index}]` })];
  }
}

/** Looks at an uncompressed layer: its digest, and whether it is a tar archive. */
function createArchiveCheck(diffId: Digest | undefined): {
  readonly entries: number;
  update(chunk: Uint8Array): void;
  finish(index: number): Violation[];
} {
  const hasher = createHasher(diffId === undefined ? 'sha256' : digestAlgorithm(diffId));
  let entries = 0;
  let fault: unknown;
  const doubts = createDoubts();
  const parser = createTarParser({
    entry: (header) => {
      entries++;
      doubts.entry(header);
    },
    data: () => undefined,
    end: () => undefined,
    doubt: doubts.add,
  });
  const parse = (step: () => void): void => {
    if (fault !== undefined) return;
    try {
      step();
    } catch (error) {
      fault = error;
    }
  };
  return {
    get entries() {
      return entries;
    },
    update(chunk) {
      hasher.update(chunk);
      parse(() => parser.push(chunk));
    },
    finish(index) {
      parse(() => parser.finish());
      const violations: Violation[] = [];
      const actual = hasher.digest();
      if (diffId !== undefined && actual !== diffId)
        violations.push({
          document: 'config',
          jsonPath: `$.rootfs.diff_ids[${index}]`,
          code: 'ERR_OCI_DIGEST_MISMATCH',
          message: `layer ${index} has the diffID ${actual} when uncompressed, not ${diffId}`,
        });
      for (const reason of doubts.reasons)
        violations.push({
          document: 'manifest',
          jsonPath: `$.layers[${index}]`,
          code: 'ERR_OCI_TAR_AMBIGUOUS',
          message: `layer ${index} can be read in two ways: ${reason}`,
        });
      if (fault !== undefined)
        violations.push(violationOf(fault, { document: 'manifest', jsonPath: `$.layers[${index}]` }));
      return violations;
    },
  };
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  onProgress: (done: number) => void,
): AsyncGenerator<Uint8Array> {
  let done = 0;
  for await (const chunk of source) {
    done += chunk.length;
    onProgress(done);
    yield chunk;
  }
}
