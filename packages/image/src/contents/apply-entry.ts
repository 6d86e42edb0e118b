import type { TarEntry } from '../tar/entry.ts';
import { invalidTar, quoteName } from '../tar/failure.ts';
import { cleanPath, entryLinkname, entryName } from './names.ts';
import { resolveDirectory } from './resolve.ts';
import { type Inode, implicitDirectory, isDirectory, type TreeNode } from './tree.ts';

const prefix = '.wh.';
const opaqueName = '.wh..wh..opq';

/** Where an entry comes from, and how the image is unpacked. */
export interface ApplyEntryOptions {
  readonly layer: number;
  readonly ordinal: number;
  /** A directory that meets a link to a directory goes through the link. */
  readonly keepDirlinks: boolean;
}

/**
 * Applies one entry of a layer to the tree, with the rules by which it is unpacked (image-spec `layer.md`): links in
 * the parents are followed inside, whiteouts hide what the layers below have, in any order. Throws
 * ERR_OCI_TAR_INVALID for an entry that cannot be unpacked.
 */
export function applyEntry(root: TreeNode, header: TarEntry, options: ApplyEntryOptions): Inode {
  const path = cleanPath(entryName(header));
  const base = path.at(-1);
  const inode: Inode = { header, layer: options.layer, ordinal: options.ordinal };
  if (base === undefined) {
    if (header.type !== 'directory')
      throw invalidTar(`the layer replaces the root directory by a ${header.type}`, { entry: header.name });
    root.inode = inode;
    return inode;
  }
  if (base.startsWith(prefix)) {
    applyWhiteout(root, { parents: path.slice(0, -1), base, layer: options.layer });
    return inode;
  }
  const parent = makeDirectories(root, path.slice(0, -1), options.layer);
  const linked = header.type === 'link' ? linkSource(root, { header, parent, base }) : inode;
  const existing = parent.children.get(base);
  if (header.type === 'directory' && existing !== undefined) {
    if (isDirectory(existing)) {
      existing.inode = inode;
      markUpper(existing, options.layer);
      return inode;
    }
    const { missing } = resolveDirectory(root, path);
    if (options.keepDirlinks && existing.inode.header.type === 'symlink' && missing.length === 0)
      return inode;
  }
  addNode(parent, { name: base, inode: linked, layer: options.layer });
  return inode;
}

type DirectoryNode = TreeNode & { readonly children: Map<string, TreeNode> };

function addNode(
  parent: DirectoryNode,
  { name, inode, layer }: { readonly name: string; readonly inode: Inode; readonly layer: number },
): TreeNode {
  const children = inode.header.type === 'directory' ? new Map<string, TreeNode>() : undefined;
  const node: TreeNode = { name, parent, inode, children, upper: layer, created: layer, touched: -1 };
  parent.children.set(name, node);
  markUpper(node, layer);
  return node;
}

function markUpper(node: TreeNode, layer: number): void {
  markTouched(node, layer);
  node.upper = layer;
  for (let at = node.parent; at !== undefined && at.upper !== layer; at = at.parent) at.upper = layer;
}

function markTouched(node: TreeNode, layer: number): void {
  for (let at: TreeNode | undefined = node; at !== undefined && at.touched !== layer; at = at.parent)
    at.touched = layer;
}

function makeDirectories(root: TreeNode, components: readonly string[], layer: number): DirectoryNode {
  const { node, missing } = resolveDirectory(root, components);
  let at = node;
  for (const name of missing) {
    const existing = at.children?.get(name);
    if (existing?.upper === layer)
      throw invalidTar(`the layer has ${quoteName(name)} as a file and as a directory`, { path: name });
    if (!isDirectory(at)) break;
    at = addNode(at, { name, inode: { header: implicitDirectory, layer: -1, ordinal: -1 }, layer });
  }
  if (isDirectory(at)) return at;
  throw invalidTar(`${quoteName(components.join('/'))} is no directory`, { path: components.join('/') });
}

function linkSource(
  root: TreeNode,
  { header, parent, base }: { readonly header: TarEntry; readonly parent: TreeNode; readonly base: string },
): Inode {
  const refuse = (what: string): never => {
    const message = `the target ${quoteName(header.linkname)} of hard link ${quoteName(header.name)} ${what}`;
    throw invalidTar(message, { entry: header.name, path: header.linkname });
  };
  const path = cleanPath(entryLinkname(header));
  const name = path.at(-1) ?? refuse('does not exist');
  const { node, missing } = resolveDirectory(root, path.slice(0, -1));
  const target = missing.length > 0 ? undefined : node.children?.get(name);
  if (node === parent && name === base) refuse('is the link itself');
  if (target === undefined) return refuse('does not exist');
  if (isDirectory(target)) refuse('is a directory');
  return target.inode;
}

function applyWhiteout(
  root: TreeNode,
  {
    parents,
    base,
    layer,
  }: { readonly parents: readonly string[]; readonly base: string; readonly layer: number },
): void {
  const name = base.slice(prefix.length);
  if (name === '' || name === '.' || name === '..')
    throw invalidTar(`the whiteout ${quoteName(base)} names no file`, { entry: base });
  const { node, missing } = resolveDirectory(root, parents);
  if (missing.length > 0) return;
  if (base === opaqueName) removeLower(node, layer);
  else removeLowerName(node, { name, layer });
}

function removeLower(node: TreeNode, layer: number): void {
  if (node.created === layer) return;
  for (const name of [...(node.children?.keys() ?? [])]) removeLowerName(node, { name, layer });
}

function removeLowerName(
  parent: TreeNode,
  { name, layer }: { readonly name: string; readonly layer: number },
): void {
  const node = parent.children?.get(name);
  if (node === undefined) return;
  if (node.upper !== layer) {
    parent.children?.delete(name);
    markTouched(parent, layer);
  } else if (isDirectory(node)) removeLower(node, layer);
}
