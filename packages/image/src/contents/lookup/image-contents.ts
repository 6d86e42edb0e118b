import type { ImageSource } from '../../source.ts';
import { createTreeBuilder } from '../image-tree.ts';
import type { ReadLayerOptions } from '../layer-entries.ts';
import type { Inode, TreeNode } from '../tree.ts';
import type { LayerFiles } from './layer-files.ts';
import { listedFiles } from './listing.ts';
import { tocFiles } from './toc-files.ts';

/** The files of an image, without unpacking them. */
export interface ImageContents {
  /** The root file system that the layers make. */
  readonly root: TreeNode;
  /** The content of a file; it never ends cleanly when it is wrong. */
  read(inode: Inode, options?: ReadLayerOptions): AsyncIterable<Uint8Array>;
}

/**
 * Opens the files of an image for a look at few of them, reading as little as possible: of a layer in eStargz or
 * zstd:chunked form its table of contents, which the manifest has the digest of; of another one in a store the listing that
 * was made when it was read for the first time; else all of it. What a table leaves out, such as itself, is not there.
 *
 * Throws what the formats, the digests and the source throw.
 */
export async function openImageContents(
  image: ImageSource,
  { signal }: ReadLayerOptions = {},
): Promise<ImageContents> {
  const builder = createTreeBuilder();
  const layers: LayerFiles[] = [];
  for (const [index, layer] of image.manifest.layers.entries()) {
    const place = { image, layer };
    const files = (await tocFiles(place, { signal })) ?? (await listedFiles(place, { signal }));
    for (const header of files.entries) builder.add(header, index);
    layers.push(files);
  }
  return {
    root: builder.root,
    read({ layer, ordinal }, options) {
      const files = layers[layer];
      if (files === undefined) throw new RangeError(`no layer ${layer} has such a file`);
      return files.open(ordinal, options);
    },
  };
}
