import type { FileTree } from './tree.ts';

/** What a layer makes of a name: the number is what a {@link LayerView} holds. */
export const Mark = { absent: 0, same: 1, added: 2, changed: 3, removed: 4 } as const;

/** The bit of a mark in a set of marks. */
export const markBit = (mark: number): number => 1 << mark;

/** The marks of what a layer changed. */
export const changeBits: number = markBit(Mark.added) | markBit(Mark.changed) | markBit(Mark.removed);

const directoryType = 3;

/** How the file system looks once a layer was applied. Arrays have an item for each node. */
export interface LayerView {
  readonly tree: FileTree;
  readonly layer: number;
  readonly marks: Uint8Array;
  /** Marks of the node and everything below, as bits. */
  readonly below: Uint8Array;
  /** The version that the node is at; of what the layer removed, the last one. */
  readonly versions: Int32Array;
  /** Bytes of the node and everything below, hard links once; of what the layer removed, the bytes that were there. */
  readonly totals: Float64Array;
  /** How many files that are no directories are there, the node itself included, hard links once. */
  readonly files: Int32Array;
}

/** Works out how the file system looks at a layer. Takes time in proportion to the names of all layers. */
export function viewLayer(tree: FileTree, layer: number): LayerView {
  const { length, packed } = tree;
  const marks = new Uint8Array(length);
  const below = new Uint8Array(length);
  const versions = new Int32Array(length).fill(-1);
  const totals = new Float64Array(length);
  const files = new Int32Array(length);
  const counted = new Uint8Array(tree.groupCount + 1);
  for (let node = 0; node < length; node++) {
    const [mark, version] = stateOf(tree, node, layer);
    marks[node] = mark;
    versions[node] = version;
    if (version < 0 || mark === Mark.absent) continue;
    const group = tree.groups[version] ?? 0;
    if (group === 0 || mark === Mark.removed || counted[group] === 0)
      totals[node] = packed.sizes[version] ?? 0;
    const isOther = group > 0 && mark !== Mark.removed && counted[group] === 1;
    if (packed.types[version] !== directoryType && !isOther) files[node] = 1;
    if (group > 0 && mark !== Mark.removed) counted[group] = 1;
  }
  marks[0] = Math.max(marks[0] ?? 0, Mark.same);
  for (let node = length - 1; node >= 0; node--) {
    const mark = marks[node] ?? 0;
    if (mark !== Mark.absent) below[node] = (below[node] ?? 0) | markBit(mark);
    const parent = tree.parents[node] ?? -1;
    if (parent < 0) continue;
    below[parent] = (below[parent] ?? 0) | (below[node] ?? 0);
    // What is gone counts for what is gone with it.
    if (mark === Mark.removed && marks[parent] !== Mark.removed) continue;
    totals[parent] = (totals[parent] ?? 0) + (totals[node] ?? 0);
    files[parent] = (files[parent] ?? 0) + (files[node] ?? 0);
  }
  return { tree, layer, marks, below, versions, totals, files };
}

/** By how many bytes each node grew or shrank from one view of a tree to another. */
export function growthOf(before: LayerView, after: LayerView): Float64Array {
  return after.totals.map((bytes, node) => {
    const now = after.marks[node] === Mark.removed ? 0 : bytes;
    return now - (before.marks[node] === Mark.absent ? 0 : (before.totals[node] ?? 0));
  });
}

/** Whether the node is a directory at the layer. */
export function isDirectoryAt({ tree, versions }: LayerView, node: number): boolean {
  return node === 0 || tree.packed.types[versions[node] ?? -1] === directoryType;
}

/** The layer, from 0, that the node's version comes from; -1 for the root when no layer describes it. */
export function originOf({ tree, versions }: LayerView, node: number): number {
  return tree.packed.layers[versions[node] ?? -1] ?? -1;
}

const markOfKind = [Mark.added, Mark.changed, Mark.removed] as const;
const removedKind = 2;

function stateOf(tree: FileTree, node: number, layer: number): readonly [mark: number, version: number] {
  const { packed, firstVersions } = tree;
  const first = firstVersions[node] ?? 0;
  let last = -1;
  for (let version = first; version < (firstVersions[node + 1] ?? first); version++) {
    if ((packed.layers[version] ?? 0) > layer) break;
    last = version;
  }
  if (last < 0) return [Mark.absent, -1];
  const kind = packed.kinds[last] ?? 0;
  const isNow = packed.layers[last] === layer;
  if (kind === removedKind) return isNow ? [Mark.removed, last - 1] : [Mark.absent, -1];
  return [isNow ? (markOfKind[kind] ?? Mark.same) : Mark.same, last];
}
