import type { TarEntry } from '../tar/entry.ts';

/** What the layers of an image say about one file; several names share it when they are hard links. */
export interface Inode {
  /** What the entry says; of a directory the entry that came last. */
  readonly header: TarEntry;
  /** Which layer the entry is in, from 0; -1 for a directory that no entry describes. */
  readonly layer: number;
  /** Which entry of the layer it is, from 0. */
  readonly ordinal: number;
}

/** A name in the root file system that the layers make. */
export interface TreeNode {
  readonly name: string;
  readonly parent: TreeNode | undefined;
  inode: Inode;
  /** Of a directory. */
  readonly children: Map<string, TreeNode> | undefined;
  /** The last layer that made the name, or something below it. */
  upper: number;
  /** The layer that made the directory: it holds nothing of those below. */
  readonly created: number;
  /** The last layer that made, changed or removed the name, or something below it. */
  touched: number;
}

/** A directory that no entry describes: root's, mode 0755, the beginning of 1970. */
export const implicitDirectory: TarEntry = {
  name: '',
  type: 'directory',
  linkname: '',
  mode: 0o755,
  uid: 0,
  gid: 0,
  uname: '',
  gname: '',
  size: 0,
  mtimeNs: 0n,
  deviceMajor: 0,
  deviceMinor: 0,
  xattrs: new Map(),
  offset: 0,
};

/** The root of an empty tree. */
export function createRoot(): TreeNode {
  return {
    name: '',
    parent: undefined,
    inode: { header: implicitDirectory, layer: -1, ordinal: -1 },
    children: new Map(),
    upper: -1,
    created: -1,
    touched: -1,
  };
}

/** The path of a node, without a leading slash; empty for the root. */
export function pathOf(node: TreeNode): string {
  const names: string[] = [];
  for (let at: TreeNode | undefined = node; at?.parent !== undefined; at = at.parent) names.push(at.name);
  return names.reverse().join('/');
}

/** Whether the node is a directory. */
export function isDirectory(node: TreeNode): node is TreeNode & { readonly children: Map<string, TreeNode> } {
  return node.children !== undefined;
}
