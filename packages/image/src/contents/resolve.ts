import { invalidTar, quoteName } from '../tar/failure.ts';
import { entryLinkname } from './names.ts';
import type { TreeNode } from './tree.ts';

/** How many symbolic links one path may go through, as in the kernel. */
const LINKS_LIMIT = 40;

/** Where a path leads: the last directory that is there, and the components behind it that are not. */
export interface Resolution {
  readonly node: TreeNode;
  /** The first one may be there, but is then no directory. */
  readonly missing: readonly string[];
}

/**
 * Follows a path of directories as if the tree's root were the root directory: links stay inside, `..` does not get
 * above. A dangling link leads to where its target would be. Throws ERR_OCI_TAR_INVALID for too many links.
 */
export function resolveDirectory(root: TreeNode, components: readonly string[]): Resolution {
  const pending = components.toReversed();
  const missing: string[] = [];
  let node = root;
  let links = 0;
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (name === '' || name === '.') continue;
    if (name === '..') {
      if (missing.length > 0) missing.pop();
      else node = node.parent ?? root;
      continue;
    }
    const next = missing.length > 0 ? undefined : node.children?.get(name);
    if (next?.children !== undefined) {
      node = next;
    } else if (next?.inode.header.type === 'symlink') {
      links += 1;
      if (links > LINKS_LIMIT) {
        const path = components.join('/');
        throw invalidTar(`path ${quoteName(path)} has too many symbolic links`, { path, limit: LINKS_LIMIT });
      }
      const target = entryLinkname(next.inode.header);
      if (target.startsWith('/')) node = root;
      // One by one: there can be more than a call has room for.
      for (const component of target.split('/').reverse()) pending.push(component);
    } else {
      missing.push(name);
    }
  }
  return { node, missing };
}

/** How {@link findNode} treats a link at the end of the path. */
export interface FindNodeOptions {
  /** Where it leads instead of the link itself. */
  readonly follow: boolean;
}

/** The node at a path; undefined when there is none. Links on the way are followed. */
export function findNode(
  root: TreeNode,
  components: readonly string[],
  { follow }: FindNodeOptions,
): TreeNode | undefined {
  const last = components.at(-1);
  if (last === undefined) return root;
  const { node, missing } = resolveDirectory(root, components.slice(0, -1));
  if (missing.length > 0) return undefined;
  const found = node.children?.get(last);
  if (!follow || found?.inode.header.type !== 'symlink') return found;
  return followLink(root, { from: node, link: found });
}

function followLink(
  root: TreeNode,
  { from, link }: { readonly from: TreeNode; readonly link: TreeNode },
): TreeNode | undefined {
  let at = from;
  let node: TreeNode | undefined = link;
  for (let links = 0; node?.inode.header.type === 'symlink'; links += 1) {
    if (links > LINKS_LIMIT)
      throw invalidTar(`link ${quoteName(link.name)} leads through too many symbolic links`, {
        limit: LINKS_LIMIT,
      });
    const target = entryLinkname(node.inode.header);
    const components = target.split('/').filter((name) => name !== '' && name !== '.');
    const start = target.startsWith('/') ? root : at;
    const last = components.at(-1);
    const { node: parent, missing } = resolveFrom(root, {
      start,
      components: last === '..' ? components : components.slice(0, -1),
    });
    if (missing.length > 0) return undefined;
    if (last === undefined || last === '..') return parent;
    at = parent;
    node = parent.children?.get(last);
  }
  return node;
}

/** Like {@link resolveDirectory}, from a directory of the tree. */
function resolveFrom(
  root: TreeNode,
  { start, components }: { readonly start: TreeNode; readonly components: readonly string[] },
): Resolution {
  const above: string[] = [];
  for (let at: TreeNode | undefined = start; at?.parent !== undefined; at = at.parent) above.push(at.name);
  return resolveDirectory(root, [...above.reverse(), ...components]);
}
