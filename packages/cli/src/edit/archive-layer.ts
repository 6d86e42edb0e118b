import { createReadStream } from 'node:fs';
import type { ImageLayer, LayerFormat, LayerStore } from '@ocijs/image';
import { archiveInput } from '../images.ts';

/** Options of {@link archiveLayer}. */
export interface ArchiveLayerOptions {
  readonly format: LayerFormat;
  readonly level: number | undefined;
  readonly signal: AbortSignal;
}

/** Makes a layer of an archive, compressed or not. One that is compressed as the layer is to be keeps its bytes. */
export async function archiveLayer(
  store: LayerStore,
  file: string,
  { format, level, signal }: ArchiveLayerOptions,
): Promise<ImageLayer> {
  const { decompress, importLayer, writeLayer } = await import('@ocijs/image');
  const input = archiveInput(file);
  const source = typeof input === 'string' ? createReadStream(input, { highWaterMark: 1 << 20 }) : input;
  if (level === undefined && (format === 'gzip' || format === 'zstd'))
    return importLayer(store, source, { compression: format, signal });
  return writeLayer(store, { tar: decompress(source, { signal }) }, { format, level, signal });
}
