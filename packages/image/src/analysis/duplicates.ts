import { type Inode, pathOf, type TreeNode } from '../contents/tree.ts';
import { walkTree } from '../contents/walk.ts';
import { isDigest } from '../digest/digest.ts';
import { storedSize } from './stored-size.ts';
import type { DuplicateFiles } from './types.ts';

/** Finds files of the same content that are not hard links of one another; empty and sparse ones are passed over. */
export function findDuplicates(
  root: TreeNode,
  contents: ReadonlyMap<Inode, string>,
): readonly DuplicateFiles[] {
  const seen = new Set<Inode>();
  const groups = new Map<string, TreeNode[]>();
  for (const node of walkTree(root)) {
    const { inode } = node;
    const content = contents.get(inode);
    if (content === undefined || seen.has(inode) || storedSize(inode.header) === 0) continue;
    seen.add(inode);
    const known = groups.get(content);
    if (known === undefined) groups.set(content, [node]);
    else known.push(node);
  }
  const found = [...groups].flatMap(([digest, nodes]) => {
    const size = storedSize(nodes[0]?.inode.header ?? root.inode.header);
    return nodes.length > 1 && isDigest(digest) ? [{ digest, size, paths: nodes.map(pathOf) }] : [];
  });
  return found.sort((a, b) => b.size * (b.paths.length - 1) - a.size * (a.paths.length - 1));
}
