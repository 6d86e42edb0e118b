import { BundleError } from '../errors.ts';
import { knownDirectoriesLimit, openDirectoriesLimit, pathDepthLimit } from '../limits.ts';
import { hasErrno } from './failure.ts';
import type { NamedEntry, RootfsOperations } from './operations.ts';

/** The bit of a directory whose group goes to everything in it. */
export const setGroup = 0o2000;

/** The attribute of a directory from which everything in it gets its access control list. */
export const defaultAcl = 'system.posix_acl_default';

/** A real directory of the root file system, by its place in the tree; never a link to one. */
export interface DirectoryNode {
  readonly name: string;
  readonly parent: DirectoryNode | undefined;
  readonly depth: number;
  /** Those that are known. */
  directories: Map<string, DirectoryNode> | undefined;
  /** Names in it that this layer made, or that hold something this layer made; of a directory that is not {@link created}. */
  upper: Set<string> | undefined;
  /** Those of them that are directories this layer made. */
  made: Set<string> | undefined;
  /** This layer made it, and so everything in it. */
  readonly created: boolean;
  /** Times to set at the end of the layer, when no more entries change them. */
  times: { readonly atimeNs: bigint; readonly mtimeNs: bigint } | undefined;
  /** The mode to set at the end of the layer, when it would keep an ordinary user out until then. */
  mode: number | undefined;
  touched: boolean;
  /** What is made in it inherits neither a group nor a default ACL. Undefined until somebody asked. */
  plain: boolean | undefined;
}

/** Options of {@link createDirectoryTree}. */
export interface DirectoryTreeOptions {
  /** Directories whose mode keeps their owner out are opened up until {@link DirectoryTree.finish}. */
  readonly unlock: boolean;
}

/**
 * What is known of the directories of one root file system while one layer is applied, and their open descriptors.
 * Whoever removes something tells {@link forget}; nothing else may change the directories meanwhile.
 */
export interface DirectoryTree {
  readonly root: DirectoryNode;
  /** A descriptor for lookups; valid until the next call, since only the most recent ones stay open. */
  open(node: DirectoryNode): number;
  /** Opens the directory at the end of `names`, if every component is a directory and none a link. */
  descend(node: DirectoryNode, names: readonly string[]): DirectoryNode | undefined;
  /** The node of a directory that is there. */
  adopt(parent: DirectoryNode, name: string, options?: { readonly created: boolean }): DirectoryNode;
  /** Drops what is known of a name that was removed. */
  forget(parent: DirectoryNode, name: string): void;
  /** Call before the contents of a directory change: notes its times. */
  touch(node: DirectoryNode): void;
  /** Whether what the operations' creator makes in the directory is theirs, and inherits no default ACL. */
  isPlain(node: DirectoryNode): boolean;
  /** True for a name that this layer made, or that holds something this layer made. */
  isUpper(node: DirectoryNode, name: string): boolean;
  /** Notes that this layer made the name. */
  markUpper(node: DirectoryNode, name: string): void;
  /**
   * Call when no node is in use. Of a layer with very many directories, those that it made are finished and
   * forgotten; what it does in them later is found out again.
   */
  trim(): void;
  /** Gives every directory its final times and mode. */
  finish(): void;
  close(): void;
}

/** Opens the directory `path` as the root of a tree. */
export function createDirectoryTree(
  operations: RootfsOperations,
  path: string,
  { unlock }: DirectoryTreeOptions,
): DirectoryTree {
  const rootFd = operations.openRoot(path);
  const root = createNode('', { parent: undefined, created: false });
  const opened = new Map<DirectoryNode, number>();
  let nodes = 1;

  function keep(node: DirectoryNode, fd: number): number {
    opened.set(node, fd);
    if (opened.size > openDirectoriesLimit) {
      for (const [oldest, oldestFd] of opened) {
        opened.delete(oldest);
        operations.close(oldestFd);
        break;
      }
    }
    return fd;
  }

  function open(node: DirectoryNode): number {
    if (node === root) return rootFd;
    const known = opened.get(node);
    if (known !== undefined) {
      opened.delete(node);
      opened.set(node, known);
      return known;
    }
    const names = [node.name];
    let ancestor = node.parent ?? root;
    for (; ancestor !== root && !opened.has(ancestor); ancestor = ancestor.parent ?? root)
      names.unshift(ancestor.name);
    const from = opened.get(ancestor) ?? rootFd;
    try {
      return keep(node, operations.openDirectory(from, names.join('/')));
    } catch (error) {
      if (!unlock || !hasErrno(error, 'EACCES') || node.parent === undefined) throw error;
      unlockDirectory(node.parent);
      return keep(node, operations.openDirectory(open(node.parent), node.name));
    }
  }

  function place(node: DirectoryNode): NamedEntry {
    return node.parent === undefined
      ? { directory: rootFd, name: '.' }
      : { directory: open(node.parent), name: node.name };
  }

  function unlockDirectory(node: DirectoryNode): void {
    if (node.mode !== undefined) return;
    if (node.parent !== undefined) unlockDirectory(node.parent);
    const mode = operations.status(place(node))?.mode;
    if (mode === undefined || (mode & 0o700) === 0o700) return;
    operations.setMode(place(node), mode | 0o700);
    node.mode = mode;
  }

  function adopt(
    parent: DirectoryNode,
    name: string,
    options?: { readonly created: boolean },
  ): DirectoryNode {
    const known = parent.directories?.get(name);
    if (known !== undefined) return known;
    if (parent.depth >= pathDepthLimit) {
      throw new BundleError('ERR_OCI_LAYER_INVALID', `directory ${JSON.stringify(name)} lies too deep`, {
        limit: pathDepthLimit,
      });
    }
    const created = options?.created === true || parent.created || parent.made?.has(name) === true;
    const node = createNode(name, { parent, created });
    parent.directories ??= new Map();
    parent.directories.set(name, node);
    if (created && !parent.created) {
      parent.made ??= new Set();
      parent.made.add(name);
    }
    nodes += 1;
    return node;
  }

  function descend(node: DirectoryNode, names: readonly string[]): DirectoryNode | undefined {
    try {
      const fd = operations.openDirectory(open(node), names.join('/'));
      const last = names.reduce((parent, name) => adopt(parent, name), node);
      keep(last, fd);
      return last;
    } catch (error) {
      if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'ENAMETOOLONG')) return undefined;
      throw error;
    }
  }

  function release(node: DirectoryNode): void {
    const fd = opened.get(node);
    opened.delete(node);
    if (fd !== undefined) operations.close(fd);
    nodes -= 1;
    for (const child of node.directories?.values() ?? []) release(child);
  }

  function forget(parent: DirectoryNode, name: string): void {
    parent.upper?.delete(name);
    parent.made?.delete(name);
    const node = parent.directories?.get(name);
    if (node === undefined) return;
    parent.directories?.delete(name);
    release(node);
  }

  function touch(node: DirectoryNode): void {
    if (node.touched) return;
    node.touched = true;
    node.times ??= operations.status(place(node));
    if (unlock) unlockDirectory(node);
  }

  function isPlain(node: DirectoryNode): boolean {
    node.plain ??= isPlainDirectory(operations, place(node));
    return node.plain;
  }

  const isUpper = (node: DirectoryNode, name: string): boolean =>
    node.created || node.upper?.has(name) === true;

  function markUpper(node: DirectoryNode, name: string): void {
    let [at, upper]: [DirectoryNode | undefined, string] = [node, name];
    // What this layer made was noted when it was made.
    while (at !== undefined && !isUpper(at, upper)) {
      at.upper ??= new Set();
      at.upper.add(upper);
      upper = at.name;
      at = at.parent;
    }
  }

  function finish(node: DirectoryNode = root): void {
    for (const child of node.directories?.values() ?? []) finish(child);
    if (node.times !== undefined) operations.setTimes(place(node), node.times);
    if (node.mode !== undefined) operations.setMode(place(node), node.mode);
  }

  function trim(): void {
    if (nodes <= knownDirectoriesLimit) return;
    dropMade(root);
  }

  function dropMade(node: DirectoryNode): void {
    for (const child of node.directories?.values() ?? []) {
      if (!child.created) {
        dropMade(child);
        continue;
      }
      finish(child);
      node.directories?.delete(child.name);
      release(child);
    }
  }

  function close(): void {
    for (const fd of opened.values()) operations.close(fd);
    opened.clear();
    operations.close(rootFd);
  }

  return {
    root,
    open,
    descend,
    adopt,
    forget,
    touch,
    isPlain,
    isUpper,
    markUpper,
    finish: () => finish(),
    trim,
    close,
  };
}

/** Whether what the operations' creator makes in a directory is theirs, and inherits no default ACL. */
export function isPlainDirectory(
  { creator, status, listAttributes }: RootfsOperations,
  entry: NamedEntry,
): boolean {
  if (creator === undefined) return false;
  const found = status(entry);
  if (found === undefined || found.gid !== creator.gid || (found.mode & setGroup) !== 0) return false;
  try {
    return !listAttributes(entry).includes(defaultAcl);
  } catch (error) {
    if (hasErrno(error, 'ENOTSUP')) return true;
    throw error;
  }
}

function createNode(
  name: string,
  { parent, created }: { readonly parent: DirectoryNode | undefined; readonly created: boolean },
): DirectoryNode {
  return {
    name,
    parent,
    depth: parent === undefined ? 0 : parent.depth + 1,
    directories: undefined,
    upper: undefined,
    made: undefined,
    created,
    times: undefined,
    mode: undefined,
    touched: false,
    plain: undefined,
  };
}
