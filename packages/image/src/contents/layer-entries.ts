import { decompress } from '../compression/decompress.ts';
import { layerCompression } from '../compression/detect.ts';
import type { Descriptor } from '../descriptor.ts';
import { ImageError } from '../errors.ts';
import type { ImageSource } from '../source.ts';
import { createTarParser, type TarHandler } from '../tar/parser.ts';

/** Options of reading layers. */
export interface ReadLayerOptions {
  readonly signal?: AbortSignal | undefined;
}

/** The uncompressed bytes of a layer; the blob is verified against its digest. */
export function layerTar(
  image: Pick<ImageSource, 'openBlob' | 'name'>,
  layer: Descriptor,
  { signal }: ReadLayerOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  if (layerCompression(layer.mediaType) === undefined) throw notALayer(image.name, layer);
  // The bytes tell the compression: media types are wrong often enough.
  return decompress(image.openBlob(layer, { signal }), { signal, chunkSize: 1024 * 1024 });
}

/**
 * Passes a layer to a handler, entry by entry, to its end; returns the bytes of the archive. Throws what the source, the
 * formats and the handler throw.
 */
export async function parseLayer(
  image: Pick<ImageSource, 'openBlob' | 'name'>,
  layer: Descriptor,
  { handler, signal }: ReadLayerOptions & { readonly handler: TarHandler },
): Promise<number> {
  const parser = createTarParser(handler);
  let bytes = 0;
  for await (const chunk of layerTar(image, layer, { signal })) {
    bytes += chunk.length;
    parser.push(chunk);
  }
  parser.finish();
  return bytes;
}

function notALayer(name: string, { digest, mediaType }: Descriptor): ImageError {
  return new ImageError(
    'ERR_OCI_MEDIA_TYPE_UNSUPPORTED',
    `layer ${digest} of ${name} has the media type ${mediaType}`,
    {
      digest,
      actual: mediaType,
      hint: mediaType.includes('encrypted')
        ? 'the layer is encrypted; decrypt the image first'
        : 'this is no file system layer; the image may be an artifact',
    },
  );
}
