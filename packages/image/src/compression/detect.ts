import { ImageError } from '../errors.ts';
import { MediaType } from '../media-types.ts';
import type { Compression, ReadableCompression } from './types.ts';

/** Bytes that `detectCompression` looks at. */
export const MAGIC_BYTES = 6;

const magics: readonly { readonly bytes: readonly number[]; readonly name: ReadableCompression }[] = [
  { name: 'gzip', bytes: [0x1f, 0x8b, 0x08] },
  { name: 'zstd', bytes: [0x28, 0xb5, 0x2f, 0xfd] },
  { name: 'xz', bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] },
  { name: 'bzip2', bytes: [0x42, 0x5a, 0x68] },
];

/** Tells the compression by the first bytes of a stream; everything that is not recognized is `none`. */
export function detectReadableCompression(firstBytes: Uint8Array): ReadableCompression {
  const known = magics.find(({ bytes }) => bytes.every((byte, index) => firstBytes[index] === byte));
  return known?.name ?? (isSkippableFrame(firstBytes) ? 'zstd' : 'none');
}

/**
 * The same where only compressions are of use that the specification has. Throws ERR_OCI_COMPRESSION_UNSUPPORTED for
 * xz and bzip2.
 */
export function detectCompression(firstBytes: Uint8Array): Compression {
  const name = detectReadableCompression(firstBytes);
  if (name !== 'xz' && name !== 'bzip2') return name;
  throw new ImageError('ERR_OCI_COMPRESSION_UNSUPPORTED', `layers compressed with ${name} cannot be read`, {
    actual: name,
    hint: 'recompress the image with gzip or zstd, for example with skopeo copy --dest-compress-format',
  });
}

/** zstd streams may begin with frames that a decoder skips (RFC 8878, 3.1.2). */
function isSkippableFrame([first = 0, ...rest]: Uint8Array): boolean {
  return first >= 0x50 && first <= 0x5f && rest[0] === 0x2a && rest[1] === 0x4d && rest[2] === 0x18;
}

const compressions: ReadonlyMap<string, Compression> = new Map([
  [MediaType.layer, 'none'],
  [MediaType.layerGzip, 'gzip'],
  [MediaType.layerZstd, 'zstd'],
  [MediaType.nondistributableLayer, 'none'],
  [MediaType.nondistributableLayerGzip, 'gzip'],
  [MediaType.nondistributableLayerZstd, 'zstd'],
  [MediaType.dockerLayer, 'none'],
  [MediaType.dockerLayerGzip, 'gzip'],
  [MediaType.dockerForeignLayerGzip, 'gzip'],
]);

/** The compression that a layer's media type promises; undefined when the type is no layer's. */
export function layerCompression(mediaType: string): Compression | undefined {
  return compressions.get(mediaType);
}
