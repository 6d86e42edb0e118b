import { compareNames } from './names.ts';
import { isDirectory, type TreeNode } from './tree.ts';

/** The names of a directory in their order. */
export function sortedChildren(node: TreeNode): readonly TreeNode[] {
  return [...(node.children?.values() ?? [])].sort((a, b) => compareNames(a.name, b.name));
}

/** Everything from a node on, parents before what is in them, names in the order of their bytes. */
export function* walkTree(node: TreeNode): Generator<TreeNode, void, undefined> {
  const pending = [node];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    yield at;
    if (!isDirectory(at)) continue;
    // One by one: there can be more than a call has room for.
    for (const child of sortedChildren(at).toReversed()) pending.push(child);
  }
}
