import { MediaType } from '../media-types.ts';

/**
 * How a layer is written. `estargz` and `zstd:chunked` are gzip and zstd to everyone, and have a table of contents for
 * those who fetch single files.
 */
export type LayerFormat = 'gzip' | 'zstd' | 'none' | 'estargz' | 'zstd:chunked';

/** Every {@link LayerFormat}. */
export const layerFormats: readonly LayerFormat[] = ['gzip', 'zstd', 'none', 'estargz', 'zstd:chunked'];

const mediaTypes: Readonly<Record<LayerFormat, string>> = {
  gzip: MediaType.layerGzip,
  estargz: MediaType.layerGzip,
  zstd: MediaType.layerZstd,
  'zstd:chunked': MediaType.layerZstd,
  none: MediaType.layer,
};

/** The media type of a layer in this form (image-spec `layer.md`). */
export function layerMediaType(format: LayerFormat): string {
  return mediaTypes[format];
}
