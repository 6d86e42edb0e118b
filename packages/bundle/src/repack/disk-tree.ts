import type { Inode, TarEntry, TreeNode } from '@ocijs/image';
import * as linux from '@ocijs/linux';
import { BundleError } from '../errors.ts';
import { pathDepthLimit } from '../limits.ts';
import { type DiskPlace, diskEntry, entryType, isSameMetadata, type Unpacked } from './disk-entry.ts';
import { openDirectory } from './open-directory.ts';

const { AT_SYMLINK_NOFOLLOW } = linux.constants;

/** What {@link readDiskTree} compares with. */
export interface ReadDiskTreeOptions {
  /** The root file system as it was unpacked. */
  readonly before: TreeNode;
  readonly unpacked: Unpacked;
  /** From when on changes count, by the clock of the file system; undefined when its times tell nothing. */
  readonly stampNs: bigint | undefined;
  /** True for paths that are left as the image has them. */
  readonly isMasked: (path: string) => boolean;
  /** Decides about what is on disk but stands for something else. */
  readonly isLeftOut?: ((place: DiskPlace, path: string) => boolean) | undefined;
  /** Told about files that no layer can hold. */
  readonly onSkipped: (path: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** A root file system on disk, seen in the light of what was unpacked. */
export interface DiskTree {
  readonly root: TreeNode;
  /** Names that stand for what the image has there. */
  readonly same: Set<TreeNode>;
  /**
   * Files whose metadata is the image's, but that were touched since: what they hold may be something else. With the
   * file of the image.
   */
  readonly doubtful: ReadonlyMap<TreeNode, TreeNode>;
}

/** The layer of files that are on disk. */
export const diskLayer = -2;

type Parent = TreeNode & { readonly children: Map<string, TreeNode> };

interface Walk extends ReadDiskTreeOptions {
  readonly same: Set<TreeNode>;
  readonly doubtful: Map<TreeNode, TreeNode>;
  /** Files with several names, by device and number. */
  readonly inodes: Map<string, Inode>;
  count: number;
}

/**
 * Reads a root file system without its content. What was not touched since the unpack is what the image has: the kernel
 * notes every change of a file in a time that nobody can set. A directory that was touched in a touched directory may
 * be another one, moved there, so that below it everything is compared.
 */
export function readDiskTree(rootfs: string, options: ReadDiskTreeOptions): DiskTree {
  const walk: Walk = { ...options, same: new Set(), doubtful: new Map(), inodes: new Map(), count: 0 };
  using top = openDirectory(linux.constants.AT_FDCWD, rootfs, { unlock: options.unpacked.rootless });
  const status = linux.fstat(top.fd);
  const place = { directory: top.fd, name: '.', status, type: 'directory' } as const;
  const root = visit(walk, place, { parent: undefined, before: options.before, path: '', isMoved: false });
  readChildren(walk, root, {
    fd: top.fd,
    before: options.before,
    path: '',
    isMoved: false,
    status,
    depth: 0,
  });
  return { root, same: walk.same, doubtful: walk.doubtful };
}

interface Directory {
  readonly fd: number;
  readonly before: TreeNode | undefined;
  readonly path: string;
  /** It may have been another directory when the image was unpacked. */
  readonly isMoved: boolean;
  readonly status: linux.FileStatus;
  readonly depth: number;
}

function readChildren(walk: Walk, node: Parent, at: Directory): void {
  walk.signal?.throwIfAborted();
  if (at.depth > pathDepthLimit)
    throw new BundleError('ERR_OCI_REPACK_FAILED', `${at.path} lies too deep`, { limit: pathDepthLimit });
  const isDirectoryTouched = isTouched(walk, at.status);
  for (const name of linux.listdir(at.fd)) {
    const path = at.path === '' ? name : `${at.path}/${name}`;
    const before = at.before?.children?.get(name);
    if (walk.isMasked(path)) {
      keep(walk, node, before);
      continue;
    }
    const status = linux.fstatat(at.fd, name, { flags: AT_SYMLINK_NOFOLLOW });
    const type = entryType(status);
    if (type === undefined) {
      walk.onSkipped(path);
      continue;
    }
    const isMoved = at.isMoved || (type === 'directory' && isDirectoryTouched && isTouched(walk, status));
    const place = { directory: at.fd, name, status, type };
    if (walk.isLeftOut?.(place, path)) continue;
    const child = visit(walk, place, { parent: node, before, path, isMoved });
    if (child.children === undefined) continue;
    using opened = openDirectory(at.fd, name, { unlock: walk.unpacked.rootless });
    const below = { fd: opened.fd, before, path, isMoved, status, depth: at.depth + 1 };
    readChildren(walk, child as Parent, below);
  }
  // What is masked stays, also when it is gone from the disk.
  for (const [name, before] of at.before?.children ?? []) {
    const path = at.path === '' ? name : `${at.path}/${name}`;
    if (!node.children.has(name) && walk.isMasked(path)) keep(walk, node, before);
  }
}

/** Takes over what the image has, with everything below. */
function keep(walk: Walk, parent: Parent, before: TreeNode | undefined): void {
  if (before === undefined) return;
  parent.children.set(before.name, before);
  const pending = [before];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    walk.same.add(node);
    for (const child of node.children?.values() ?? []) pending.push(child);
  }
}

function isTouched({ stampNs }: Walk, { ctimeNs }: linux.FileStatus): boolean {
  return stampNs === undefined || ctimeNs >= stampNs;
}

interface Visited {
  readonly parent: Parent | undefined;
  readonly before: TreeNode | undefined;
  readonly path: string;
  readonly isMoved: boolean;
}

function visit(walk: Walk, place: DiskPlace, { parent, before, isMoved }: Visited): Parent {
  const { status, type } = place;
  const isUntouched = before !== undefined && !isMoved && !isTouched(walk, status);
  const header = isUntouched ? before.inode.header : diskEntry(place, { before, unpacked: walk.unpacked });
  const node: TreeNode = {
    name: parent === undefined ? '' : place.name,
    parent,
    inode: inodeOf(walk, { status, header }),
    children: type === 'directory' ? new Map<string, TreeNode>() : undefined,
    upper: diskLayer,
    created: diskLayer,
    touched: diskLayer,
  };
  parent?.children.set(node.name, node);
  if (isUntouched) walk.same.add(node);
  else if (before !== undefined && isSameMetadata(before.inode.header, header)) {
    if (header.type === 'file' && header.size > 0) walk.doubtful.set(node, before);
    else walk.same.add(node);
  }
  return node as Parent;
}

function inodeOf(
  walk: Walk,
  { status, header }: { readonly status: linux.FileStatus; readonly header: TarEntry },
): Inode {
  walk.count += 1;
  const created: Inode = { header, layer: diskLayer, ordinal: walk.count };
  if (status.nlink < 2 || header.type === 'directory') return created;
  const key = `${status.deviceMajor}:${status.deviceMinor}:${status.ino}`;
  const known = walk.inodes.get(key);
  if (known !== undefined) return known;
  walk.inodes.set(key, created);
  return created;
}
