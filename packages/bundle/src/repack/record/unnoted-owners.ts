import { join } from 'node:path';
import type { TreeNode } from '@ocijs/image';
import { llistxattr } from '@ocijs/linux';
import { hasErrno } from '../../rootfs/failure.ts';
import type { RecordedOwner } from '../../rootfs/recorded-owner.ts';
import { readState } from '../../state.ts';
import { readRecords } from './read-records.ts';

/** A file of a bundle that belongs to somebody else than root in the image, as nothing at the file says. */
export interface UnnotedOwner extends RecordedOwner {
  /** From the root file system on, without a slash before it. */
  readonly path: string;
}

const ownerMayRead = 0o400;

/**
 * Lists the files of a bundle of an ordinary user whose owners could not be noted at them: links and nodes, files
 * that they may not read, and all files where the file system has no extended attributes. Empty for other bundles. Throws ERR_OCI_BUNDLE_INVALID, and ERR_OCI_REPACK_FAILED
 * without the records of the unpack.
 */
export async function unnotedOwners(
  directory: string,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<readonly UnnotedOwner[]> {
  const state = await readState(directory);
  if (state?.rootless !== true) return [];
  const root = await readRecords(directory, { state, ...options });
  const isAll = !hasAttributes(join(directory, 'rootfs'));
  const found: UnnotedOwner[] = [];
  const pending: (readonly [TreeNode, string])[] = [[root, '']];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [node, path] = next;
    const { type, mode, uid, gid } = node.inode.header;
    const isReadable = type === 'directory' || (type === 'file' && (mode & ownerMayRead) !== 0);
    const isNoted = isReadable && !isAll;
    if (!isNoted && path !== '' && (uid !== 0 || gid !== 0)) found.push({ path, uid, gid });
    for (const child of node.children?.values() ?? [])
      pending.push([child, path === '' ? child.name : `${path}/${child.name}`]);
  }
  return found;
}

function hasAttributes(path: string): boolean {
  try {
    llistxattr(path);
    return true;
  } catch (error) {
    if (hasErrno(error, 'ENOTSUP')) return false;
    throw error;
  }
}
