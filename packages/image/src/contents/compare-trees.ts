import { compareNames } from './names.ts';
import { type Inode, isDirectory, pathOf, type TreeNode } from './tree.ts';
import { walkTree } from './walk.ts';

/** What became of a name. */
export type TreeChange =
  | { readonly kind: 'added'; readonly path: string; readonly after: TreeNode }
  | {
      readonly kind: 'changed';
      readonly path: string;
      readonly before: TreeNode;
      readonly after: TreeNode;
    }
  | { readonly kind: 'removed'; readonly path: string; readonly before: TreeNode };

/** Options of {@link compareTrees}. */
export interface CompareTreesOptions {
  /** Whether a name stands for the same file as before, its content, metadata and attributes included. */
  readonly isSame: (before: TreeNode, after: TreeNode) => boolean;
}

/**
 * What has to change to make one root file system out of another, parents before what is in them. Of what is removed
 * only the top is listed. When one name of several that are hard links changed, all of them are listed, so that a
 * layer of the changes keeps them together.
 */
export function compareTrees(
  before: TreeNode,
  after: TreeNode,
  { isSame }: CompareTreesOptions,
): readonly TreeChange[] {
  const changes: TreeChange[] = [];
  const unchanged: { readonly path: string; readonly before: TreeNode; readonly after: TreeNode }[] = [];
  const pending: {
    readonly path: string;
    readonly before: TreeNode | undefined;
    readonly after: TreeNode;
  }[] = [{ path: '', before, after }];
  for (let pair = pending.pop(); pair !== undefined; pair = pending.pop()) {
    const { path, before: old, after: now } = pair;
    if (old === undefined) changes.push({ kind: 'added', path, after: now });
    else if (isSame(old, now)) unchanged.push({ path, before: old, after: now });
    else changes.push({ kind: 'changed', path, before: old, after: now });
    if (!isDirectory(now)) continue;
    const below = (name: string): string => (path === '' ? name : `${path}/${name}`);
    for (const [name, child] of now.children)
      pending.push({ path: below(name), before: old?.children?.get(name), after: child });
    for (const [name, child] of old?.children ?? [])
      if (!now.children.has(name)) changes.push({ kind: 'removed', path: below(name), before: child });
  }
  const torn = tornLinks(unchanged, changes);
  const all = [...changes, ...torn.map((pair) => ({ kind: 'changed' as const, ...pair }))];
  return all.sort((a, b) => comparePaths(a.path, b.path));
}

/** Orders paths so that directories come before what is in them, and names are in the order of their bytes. */
export function comparePaths(a: string, b: string): number {
  const [as, bs] = [a.split('/'), b.split('/')];
  for (const [index, name] of as.entries()) {
    const other = bs[index];
    if (other === undefined) return 1;
    if (name !== other) return compareNames(name, other);
  }
  return as.length - bs.length;
}

type Pair = { readonly path: string; readonly before: TreeNode; readonly after: TreeNode };

/** Unchanged names whose hard links are not what they were. */
function tornLinks(unchanged: readonly Pair[], changes: readonly TreeChange[]): readonly Pair[] {
  const changed = new Set<Inode>();
  for (const change of changes)
    if (change.kind !== 'removed' && !isDirectory(change.after)) changed.add(change.after.inode);
  /** Which file of before a file of now is, and the other way round, by the first name that has both. */
  const formerOf = new Map<Inode, Inode>();
  const nowOf = new Map<Inode, Inode>();
  for (const { before, after } of unchanged) {
    if (isDirectory(after)) continue;
    const former = formerOf.get(after.inode);
    const now = nowOf.get(before.inode);
    if (former === undefined) formerOf.set(after.inode, before.inode);
    else if (former !== before.inode) changed.add(after.inode);
    if (now === undefined) nowOf.set(before.inode, after.inode);
    else if (now !== after.inode) changed.add(after.inode);
  }
  return unchanged.filter(({ after }) => !isDirectory(after) && changed.has(after.inode));
}

/** All names of each file that is no directory, in the order of the tree. */
export function namesByInode(root: TreeNode): ReadonlyMap<Inode, readonly string[]> {
  const names = new Map<Inode, string[]>();
  for (const node of walkTree(root)) {
    if (isDirectory(node)) continue;
    const known = names.get(node.inode);
    if (known === undefined) names.set(node.inode, [pathOf(node)]);
    else known.push(pathOf(node));
  }
  return names;
}
