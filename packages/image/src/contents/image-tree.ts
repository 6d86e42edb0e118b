import { ImageError } from '../errors.ts';
import { TREE_ENTRIES_LIMIT } from '../limits.ts';
import type { ImageSource } from '../source.ts';
import type { TarEntry } from '../tar/entry.ts';
import { applyEntry } from './apply-entry.ts';
import { parseLayer } from './layer-entries.ts';
import { createRoot, type Inode, type TreeNode } from './tree.ts';

/** Options of {@link readImageTree}. */
export interface ReadImageTreeOptions {
  /** Which layers, the lowest first; all by default. */
  readonly layers?: { readonly from: number; readonly to: number } | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The root file system that some layers make, built entry by entry; nothing is written anywhere. */
export interface TreeBuilder {
  readonly root: TreeNode;
  /**
   * Applies the next entry of a layer and returns what it stands for. Throws ERR_OCI_TAR_INVALID and
   * ERR_OCI_LIMIT_EXCEEDED.
   */
  add(header: TarEntry, layer: number): Inode;
}

/** Starts with an empty root file system. */
export function createTreeBuilder({
  keepDirlinks = false,
}: {
  readonly keepDirlinks?: boolean;
} = {}): TreeBuilder {
  const root = createRoot();
  const ordinals = new Map<number, number>();
  let entries = 0;
  return {
    root,
    add(header, layer) {
      entries += 1;
      if (entries > TREE_ENTRIES_LIMIT)
        throw new ImageError(
          'ERR_OCI_LIMIT_EXCEEDED',
          `the layers have more than ${TREE_ENTRIES_LIMIT} entries`,
          {
            limit: TREE_ENTRIES_LIMIT,
          },
        );
      const ordinal = ordinals.get(layer) ?? 0;
      ordinals.set(layer, ordinal + 1);
      return applyEntry(root, header, { layer, ordinal, keepDirlinks });
    },
  };
}

/**
 * Reads the layers of an image and returns the root file system that they make, without the content of files. Each
 * blob is verified. Throws what the formats, the digests and the source throw.
 */
export async function readImageTree(
  image: ImageSource,
  { layers: range, signal }: ReadImageTreeOptions = {},
): Promise<TreeNode> {
  const builder = createTreeBuilder();
  const { from = 0, to = image.manifest.layers.length } = range ?? {};
  for (const [index, layer] of image.manifest.layers.entries()) {
    if (index < from || index >= to) continue;
    const handler = {
      entry: (header: TarEntry) => {
        builder.add(header, index);
      },
      data: () => undefined,
      end: () => undefined,
    };
    await parseLayer(image, layer, { handler, signal });
  }
  return builder.root;
}
