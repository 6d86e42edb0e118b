import { type FilePart, randomAccess } from '../../archive/random-access.ts';
import { openRegularFile } from '../../store/file-chunks.ts';
import type { ReadLayerOptions } from '../layer-entries.ts';
import type { LayerPlace } from './layer-files.ts';

/** The bytes of a part of a layer, unverified; undefined where only whole layers can be had. */
export async function blobPart(
  { image, layer }: LayerPlace,
  part: FilePart,
  { signal }: ReadLayerOptions = {},
): Promise<AsyncIterable<Uint8Array> | undefined> {
  if (!(part.offset >= 0 && part.length > 0 && part.offset + part.length <= layer.size)) return undefined;
  const file = image.blobFile?.(layer);
  if (file === undefined) return image.openBlobPart?.(layer, part, { signal });
  return filePart(file, part, { signal });
}

async function* filePart(
  path: string,
  part: FilePart,
  options: ReadLayerOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  await using file = await randomAccess(await openRegularFile(path), path);
  yield* file.chunks(part, options);
}
