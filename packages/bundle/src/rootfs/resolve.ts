import { BundleError } from '../errors.ts';
import { symbolicLinksLimit } from '../limits.ts';
import type { DirectoryNode, DirectoryTree } from './directory-tree.ts';
import { hasErrno } from './failure.ts';
import type { RootfsOperations } from './operations.ts';

/** Where a path leads: the last directory that is there, and the components behind it that are not. */
export interface Resolution {
  readonly node: DirectoryNode;
  /** The first one may be there, but is then no directory. */
  readonly missing: readonly string[];
}

/**
 * Follows a path of directories as if the root file system were the root directory: links are followed inside of it,
 * `..` stays inside of it. A dangling link leads to where its target would be. Nothing is created.
 * Throws ERR_OCI_LAYER_INVALID when there are too many links.
 */
export function resolveDirectory(
  operations: RootfsOperations,
  tree: DirectoryTree,
  components: readonly string[],
): Resolution {
  let node = tree.root;
  let known = 0;
  for (; known < components.length; known += 1) {
    const next = node.directories?.get(components[known] ?? '');
    if (next === undefined) break;
    node = next;
  }
  const rest = components.slice(known);
  if (rest.length === 0) return { node, missing: [] };
  // The usual case takes one call: every component is a directory.
  const last = tree.descend(node, rest);
  return last === undefined ? followLinks(operations, tree, { node, rest }) : { node: last, missing: [] };
}

function followLinks(
  operations: RootfsOperations,
  tree: DirectoryTree,
  start: { readonly node: DirectoryNode; readonly rest: readonly string[] },
): Resolution {
  const pending = start.rest.toReversed();
  const missing: string[] = [];
  let node = start.node;
  let links = 0;
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (name === '' || name === '.') continue;
    if (name === '..') {
      if (missing.length > 0) missing.pop();
      else node = node.parent ?? tree.root;
      continue;
    }
    const kind = missing.length > 0 ? undefined : kindOf(operations, tree, { node, name });
    if (kind === 'directory') {
      node = tree.adopt(node, name);
    } else if (kind === 'symlink') {
      links += 1;
      if (links > symbolicLinksLimit) throw tooManyLinks(start.rest);
      const target = operations.readLink({ directory: tree.open(node), name });
      if (target.startsWith('/')) node = tree.root;
      pending.push(...target.split('/').reverse());
    } else {
      missing.push(name);
    }
  }
  return { node, missing };
}

function kindOf(
  operations: RootfsOperations,
  tree: DirectoryTree,
  { node, name }: { readonly node: DirectoryNode; readonly name: string },
): string | undefined {
  if (node.directories?.has(name)) return 'directory';
  try {
    return operations.status({ directory: tree.open(node), name })?.kind;
  } catch (error) {
    if (!hasErrno(error, 'EACCES')) throw error;
    tree.touch(node);
    return operations.status({ directory: tree.open(node), name })?.kind;
  }
}

function tooManyLinks(components: readonly string[]): BundleError {
  const path = components.join('/');
  return new BundleError(
    'ERR_OCI_LAYER_INVALID',
    `path ${JSON.stringify(path)} has too many symbolic links`,
    {
      path,
      limit: symbolicLinksLimit,
    },
  );
}
