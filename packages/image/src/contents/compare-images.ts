import type { ImageSource } from '../source.ts';
import type { TarEntry } from '../tar/entry.ts';
import { compareTrees, type TreeChange } from './compare-trees.ts';
import { digestFiles } from './file-contents.ts';
import { type FileDifference, fileDifferences } from './file-differences.ts';
import type { Inode, TreeNode } from './tree.ts';

/** An image and its files. */
export interface ImageFiles {
  readonly image: ImageSource;
  readonly root: TreeNode;
}

/** A difference between the files of two images. */
export interface FileChange {
  readonly kind: TreeChange['kind'];
  readonly path: string;
  /** Of a change: in what, in a fixed order. Empty when only hard links are other ones. */
  readonly differences: readonly FileDifference[];
  readonly before?: TarEntry;
  readonly after?: TarEntry;
}

/** Options of {@link compareImageTrees}. */
export interface CompareImageTreesOptions {
  /** Which paths are of interest; all by default. */
  readonly only?: ((path: string) => boolean) | undefined;
  /** Whether times count; true by default. */
  readonly times?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Compares the files of two images. The content of files of equal size is compared by its digest, for which the layers
 * that have such files are read again; files from the same layer are known to be the same.
 */
export async function compareImageTrees(
  before: ImageFiles,
  after: ImageFiles,
  { only = () => true, times = true, signal }: CompareImageTreesOptions = {},
): Promise<readonly FileChange[]> {
  const sameLayers = commonLayers(before.image, after.image);
  const isSameEntry = (a: Inode, b: Inode): boolean =>
    a.layer < sameLayers && a.layer === b.layer && a.ordinal === b.ordinal;
  const changes = compareTrees(before.root, after.root, {
    isSame: (a, b) => isSameEntry(a.inode, b.inode),
  }).filter(({ path }) => only(path));
  const doubtful = changes.flatMap((change) =>
    change.kind === 'changed' && needsContent(change.before.inode, change.after.inode) ? [change] : [],
  );
  const [old, now] = [
    await digestFiles(before.image, new Set(doubtful.map((change) => change.before.inode)), { signal }),
    await digestFiles(after.image, new Set(doubtful.map((change) => change.after.inode)), { signal }),
  ];
  const result: FileChange[] = [];
  for (const change of changes) {
    const { kind, path } = change;
    if (change.kind === 'added')
      result.push({ kind, path, differences: [], after: change.after.inode.header });
    else if (change.kind === 'removed')
      result.push({ kind, path, differences: [], before: change.before.inode.header });
    else {
      const sameContent = old.get(change.before.inode) === now.get(change.after.inode);
      const differences = fileDifferences(change.before.inode.header, change.after.inode.header, {
        sameContent,
        times,
      });
      if (differences.length === 0) continue;
      result.push({
        kind,
        path,
        differences,
        before: change.before.inode.header,
        after: change.after.inode.header,
      });
    }
  }
  return result;
}

/** How many layers, from the lowest on, the images share. */
function commonLayers(a: ImageSource, b: ImageSource): number {
  const others = b.config.rootfs.diff_ids;
  const first = a.config.rootfs.diff_ids.findIndex((diffId, index) => diffId !== others[index]);
  return first < 0 ? a.config.rootfs.diff_ids.length : first;
}

function needsContent({ header: a }: Inode, { header: b }: Inode): boolean {
  return a.type === 'file' && b.type === 'file' && a.size === b.size && a.size > 0;
}
