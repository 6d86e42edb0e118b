import { chmodSync } from 'node:fs';
import * as linux from '@ocijs/linux';
import { hasErrno } from '../rootfs/failure.ts';
import { isOverlayAttribute } from '../rootfs/overlay/marks.ts';

/** Belong to the host, which labels files by its own policy. */
const hostAttributes: ReadonlySet<string> = new Set(['security.selinux', 'system.nfs4_acl']);

/**
 * The extended attributes of a file that belong into a layer, whoever owns it. `path` is not followed. Those of a file that its
 * owner may not read are read with the mode `unlocked`, in which they may meanwhile.
 */
export function readAttributes(
  path: string,
  { mode, unlocked }: { readonly mode: number; readonly unlocked?: number | undefined },
): ReadonlyMap<string, Buffer> {
  try {
    return attributesOf(path);
  } catch (error) {
    if (unlocked === undefined || unlocked === mode || !hasErrno(error, 'EACCES')) throw error;
  }
  chmodSync(path, unlocked);
  try {
    return attributesOf(path);
  } finally {
    chmodSync(path, mode);
  }
}

function attributesOf(path: string): ReadonlyMap<string, Buffer> {
  const found = new Map<string, Buffer>();
  for (const name of attributeNames(path)) {
    if (hostAttributes.has(name) || isOverlayAttribute(name)) continue;
    const value = linux.lgetxattr(path, name);
    if (value !== undefined) found.set(name, value);
  }
  return found;
}

function attributeNames(path: string): readonly string[] {
  try {
    return linux.llistxattr(path).sort();
  } catch (error) {
    if (hasErrno(error, 'ENOTSUP')) return [];
    throw error;
  }
}
