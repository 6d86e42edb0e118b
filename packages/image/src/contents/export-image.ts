import type { ImageSource } from '../source.ts';
import type { TarWriteEntry } from '../tar/write-tar.ts';
import { compareTrees } from './compare-trees.ts';
import { imageEntries } from './file-contents.ts';
import { readImageTree } from './image-tree.ts';
import type { ReadLayerOptions } from './layer-entries.ts';
import { planLayer } from './plan-layer.ts';
import { createRoot } from './tree.ts';

/**
 * The root file system of an image as the entries of one archive, whiteouts applied: no root rights, no directory, and no
 * more memory than the list of files takes. The layers are read twice. Equal images give equal entries.
 */
export async function* exportImage(
  image: ImageSource,
  { signal }: ReadLayerOptions = {},
): AsyncGenerator<TarWriteEntry, void, undefined> {
  const root = await readImageTree(image, { signal });
  const changes = compareTrees(createRoot(), root, { isSame: () => false });
  yield* imageEntries(image, planLayer(changes), { signal });
}
