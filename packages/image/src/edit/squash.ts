import { compareTrees } from '../contents/compare-trees.ts';
import { imageEntries } from '../contents/file-contents.ts';
import { readImageTree } from '../contents/image-tree.ts';
import { planLayer } from '../contents/plan-layer.ts';
import { createRoot, type TreeNode } from '../contents/tree.ts';
import type { LayerFormat } from '../layer/format.ts';
import type { LayerStore } from '../layer/store-stream.ts';
import { writeLayer } from '../layer/write-layer.ts';
import type { ImageSource } from '../source.ts';
import { draftOf, type ImageDraft } from './draft.ts';
import { type EditRecord, historyEntry } from './history.ts';
import { checkRange, type LayerRange, withLayersReplaced } from './layers.ts';

/** Options of {@link squashLayers}. */
export interface SquashOptions {
  /** All by default. */
  readonly range?: LayerRange | undefined;
  readonly format?: LayerFormat | undefined;
  readonly level?: number | undefined;
  /** No time in the layer is later, in nanoseconds since 1970. */
  readonly clampNs?: bigint | undefined;
  readonly record: EditRecord;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes one layer of several that lie on one another: what is gone in the end is not in it, what the layers below have
 * and is gone is hidden. The root file system of the image stays the same; layers below and above keep their bytes.
 * Throws ERR_OCI_EDIT_INVALID for a range that the image has not, and what reading and writing layers throws.
 */
export async function squashLayers(
  store: LayerStore,
  image: ImageSource,
  { range, format, level, clampNs, record, signal }: SquashOptions,
): Promise<ImageDraft> {
  const draft = draftOf(image);
  const chosen = range ?? { from: 0, to: draft.layers.length };
  checkRange(draft, chosen);
  const { from, to } = chosen;
  const before =
    from === 0 ? createRoot() : await readImageTree(image, { layers: { from: 0, to: from }, signal });
  const after = await readImageTree(image, { layers: { from: 0, to }, signal });
  const changes = compareTrees(before, after, { isSame: isSameEntry });
  const planned = planLayer(changes, { clampNs });
  const entries = imageEntries(image, planned, { signal });
  const layer = await writeLayer(store, { entries }, { format, level, signal });
  return withLayersReplaced(draft, chosen, { layer, record });
}

/**
 * Makes an image of one layer out of an image of several, with a history of one entry. What containers start with stays.
 */
export async function flattenImage(
  store: LayerStore,
  image: ImageSource,
  options: Omit<SquashOptions, 'range'>,
): Promise<ImageDraft> {
  const squashed = await squashLayers(store, image, options);
  const entry = historyEntry(squashed, { ...options.record, emptyLayer: false });
  return { ...squashed, config: { ...squashed.config, history: [entry] } };
}

/** Both trees are of one image: what comes from the same entry is the same. */
function isSameEntry(before: TreeNode, after: TreeNode): boolean {
  return before.inode.layer === after.inode.layer && before.inode.ordinal === after.inode.ordinal;
}
