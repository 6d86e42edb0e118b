import { type FileDifference, fileDifferences } from '../contents/file-differences.ts';
import { compareNames } from '../contents/names.ts';
import { type Inode, isDirectory, type TreeNode } from '../contents/tree.ts';

/** What one layer did to a name. */
export interface FileVersion {
  readonly layer: number;
  readonly kind: 'added' | 'changed' | 'removed';
  /** Of a change: in what. Empty when the layer holds the same file once more. */
  readonly differences: readonly FileDifference[];
  /** What the name stands for from here on; when it was removed, what it stood for. */
  readonly inode: Inode;
}

/** A name that some layer has, and what became of it. */
export interface HistoryNode {
  readonly name: string;
  readonly parent: HistoryNode | undefined;
  readonly children: ReadonlyMap<string, HistoryNode>;
  /** Lowest layer first; empty for the root while no layer describes it. */
  readonly versions: readonly FileVersion[];
}

/** Collects what becomes of files while a tree grows layer by layer. */
export interface FileHistory {
  readonly root: HistoryNode;
  /** Compares the tree, to which everything of a layer was applied, with what it was the last time. */
  record(tree: TreeNode, layer: number): LayerChanges;
}

/** How many names a layer changed; directories count when more than their time is another one. */
export interface LayerChanges {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
}

/** Options of {@link createFileHistory}. */
export interface FileHistoryOptions {
  /** Files for which it gives the same have the same content. */
  readonly contentOf: (inode: Inode) => string | undefined;
  /** Whether the trees are one that grows, so that what a layer did not touch is passed over; false for any trees. */
  readonly growing: boolean;
}

interface Recorded extends HistoryNode {
  children: Map<string, Recorded>;
  readonly versions: FileVersion[];
  current: Inode | undefined;
}

/** Starts with no files. */
export function createFileHistory({ contentOf, growing }: FileHistoryOptions): FileHistory {
  const root = newNode('', undefined);

  function record(tree: TreeNode, layer: number): LayerChanges {
    const counts = { added: 0, changed: 0, removed: 0 };
    const note = (node: Recorded, version: FileVersion): void => {
      node.versions.push(version);
      counts[version.kind] += 1;
    };
    const pending: (readonly [Recorded, TreeNode])[] = [[root, tree]];
    for (let pair = pending.pop(); pair !== undefined; pair = pending.pop()) {
      const [node, now] = pair;
      const version = versionOf(node.current, now.inode, layer);
      // The root is always there: no layer adds it.
      if (version !== undefined && (node !== root || version.kind === 'changed')) note(node, version);
      node.current = now.inode;
      for (const known of node.children.values())
        if (known.current !== undefined && now.children?.has(known.name) !== true) remove(known, layer, note);
      if (!isDirectory(now)) continue;
      for (const [name, child] of now.children) {
        const known = node.children.get(name) ?? newNode(name, node);
        if (node.children === noChildren) node.children = new Map();
        node.children.set(name, known);
        if (growing && known.current !== undefined && child.touched !== layer) continue;
        pending.push([known, child]);
      }
    }
    return counts;
  }

  function versionOf(before: Inode | undefined, inode: Inode, layer: number): FileVersion | undefined {
    if (before === undefined) return { layer, kind: 'added', differences: [], inode };
    if (before === inode) return undefined;
    const differences = fileDifferences(before.header, inode.header, {
      sameContent: contentOf(before) === contentOf(inode),
      times: true,
    });
    const isSameDirectory =
      before.header.type === 'directory' &&
      inode.header.type === 'directory' &&
      (inode.layer < 0 || differences.every((difference) => difference === 'time'));
    const isSameFile = !growing && differences.length === 0;
    return isSameDirectory || isSameFile ? undefined : { layer, kind: 'changed', differences, inode };
  }

  return { root, record };
}

/** Every name from a node on, parents before what is in them, names in the order of their bytes. */
export function* walkHistory(node: HistoryNode): Generator<HistoryNode, void, undefined> {
  const pending = [node];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    yield at;
    const children = [...at.children.values()].sort((a, b) => compareNames(b.name, a.name));
    // One by one: there can be more than a call has room for.
    for (const child of children) pending.push(child);
  }
}

/** The path of a node, without a leading slash; empty for the root. */
export function historyPath(node: HistoryNode): string {
  const names: string[] = [];
  for (let at: HistoryNode | undefined = node; at?.parent !== undefined; at = at.parent) names.push(at.name);
  return names.reverse().join('/');
}

/** Most names are files: a map for each would take more memory than all the rest. */
const noChildren: Map<string, Recorded> = new Map();

function newNode(name: string, parent: Recorded | undefined): Recorded {
  return { name, parent, children: noChildren, versions: [], current: undefined };
}

function remove(top: Recorded, layer: number, note: (node: Recorded, version: FileVersion) => void): void {
  const pending = [top];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (node.current === undefined) continue;
    note(node, { layer, kind: 'removed', differences: [], inode: node.current });
    node.current = undefined;
    for (const child of node.children.values()) pending.push(child);
  }
}
