import type { PackedTree } from './report.ts';

/** A {@link PackedTree}, ready to be walked: numbers of nodes are indexes into `names`. */
export interface FileTree {
  readonly packed: PackedTree;
  readonly length: number;
  readonly parents: Int32Array;
  /** The node behind the last one below a node. */
  readonly ends: Int32Array;
  /** The first version of a node; one more than there are nodes, so that the next tells where a node's end. */
  readonly firstVersions: Int32Array;
  /** Of versions: the number of the file that several names stand for, or 0. */
  readonly groups: Int32Array;
  readonly groupCount: number;
  readonly links: ReadonlyMap<number, string>;
  readonly attributes: ReadonlyMap<number, readonly string[]>;
}

/** Works out what walking a tree needs. */
export function openTree(packed: PackedTree): FileTree {
  const { depths, counts } = packed;
  const length = depths.length;
  const parents = new Int32Array(length).fill(-1);
  const ends = new Int32Array(length).fill(length);
  const firstVersions = new Int32Array(length + 1);
  const path: number[] = [];
  for (let node = 0; node < length; node++) {
    const depth = depths[node] ?? 0;
    for (let ended = path.length - 1; ended >= depth; ended--) ends[path[ended] ?? 0] = node;
    path.length = depth;
    parents[node] = path[depth - 1] ?? -1;
    path.push(node);
    firstVersions[node + 1] = (firstVersions[node] ?? 0) + (counts[node] ?? 0);
  }
  const groups = new Int32Array(packed.layers.length);
  let groupCount = 0;
  for (const [version, group] of packed.groups) {
    groups[version] = group;
    groupCount = Math.max(groupCount, group);
  }
  return {
    packed,
    length,
    parents,
    ends,
    firstVersions,
    groups,
    groupCount,
    links: new Map(packed.links),
    attributes: new Map(packed.attributes),
  };
}

/** The path of a node, with a leading slash. */
export function pathOfNode(tree: FileTree, node: number): string {
  const names: string[] = [];
  for (let at = node; at > 0; at = tree.parents[at] ?? 0) names.push(tree.packed.names[at] ?? '');
  return `/${names.reverse().join('/')}`;
}

/** The nodes in a directory, in the order of their names. */
export function childrenOf(tree: FileTree, node: number): number[] {
  const children: number[] = [];
  const end = tree.ends[node] ?? 0;
  for (let child = node + 1; child < end; child = tree.ends[child] ?? end) children.push(child);
  return children;
}
