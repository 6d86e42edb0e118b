import type { Digest } from '../digest/digest.ts';
import type { ImageSource } from '../source.ts';
import type { TarEntry } from '../tar/entry.ts';
import { compareTrees, type TreeChange } from './compare-trees.ts';
import { digestFiles } from './file-contents.ts';
import { entryLinkname } from './names.ts';
import type { Inode, TreeNode } from './tree.ts';

/** An image and its files. */
export interface ImageFiles {
  readonly image: ImageSource;
  readonly root: TreeNode;
}

/** What is different about a file that both have. */
export type FileDifference =
  | 'type'
  | 'content'
  | 'mode'
  | 'owner'
  | 'time'
  | 'link'
  | 'device'
  | 'attributes';

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
      const differences = differencesOf(change.before, change.after, { old, now, times });
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

/** What is known of the content of files of equal size. */
interface Contents {
  readonly old: ReadonlyMap<Inode, Digest>;
  readonly now: ReadonlyMap<Inode, Digest>;
  readonly times: boolean;
}

function differencesOf(before: TreeNode, after: TreeNode, { old, now, times }: Contents): FileDifference[] {
  const [a, b] = [before.inode.header, after.inode.header];
  if (a.type !== b.type) return ['type'];
  const found: readonly (readonly [FileDifference, boolean])[] = [
    ['content', a.size !== b.size || old.get(before.inode) !== now.get(after.inode)],
    ['link', a.type === 'symlink' && entryLinkname(a) !== entryLinkname(b)],
    ['device', a.deviceMajor !== b.deviceMajor || a.deviceMinor !== b.deviceMinor],
    ['mode', a.type !== 'symlink' && a.mode !== b.mode],
    ['owner', a.uid !== b.uid || a.gid !== b.gid],
    ['attributes', !isSameAttributes(a, b)],
    ['time', times && a.mtimeNs !== b.mtimeNs],
  ];
  return found.flatMap(([name, isDifferent]) => (isDifferent ? [name] : []));
}

/** Whether two entries have the same extended attributes. */
export function isSameAttributes({ xattrs: a }: TarEntry, { xattrs: b }: TarEntry): boolean {
  if (a.size !== b.size) return false;
  for (const [name, value] of a) if (b.get(name)?.equals(value) !== true) return false;
  return true;
}
