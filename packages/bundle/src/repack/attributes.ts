import * as linux from '@ocijs/linux';
import { hasErrno } from '../rootfs/failure.ts';
import { isOverlayAttribute } from '../rootfs/overlay/marks.ts';

/** Belong to the host, which labels files by its own policy. */
const hostAttributes: ReadonlySet<string> = new Set(['security.selinux', 'system.nfs4_acl']);

/** Where tools without privileges note who a file belongs to (umoci, PRoot). */
export const rootlessOwner = 'user.rootlesscontainers';

/** The extended attributes of a file that belong into a layer, whoever owns it. `path` is not followed. */
export function readAttributes(path: string): ReadonlyMap<string, Buffer> {
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

/**
 * The owner that `user.rootlesscontainers` notes: a message of Protocol Buffers with the ids as fields 1 and 2, where
 * 4294967295 is "as it is". Undefined for a value of another form.
 */
export function parseRootlessOwner(
  value: Uint8Array,
): { readonly uid?: number; readonly gid?: number } | undefined {
  const fields = new Map<number, number>();
  for (let index = 0; index < value.length; ) {
    const field = value[index++] ?? 0;
    let number = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = value[index++];
      if (byte === undefined || shift > 28) return undefined;
      number += (byte & 0x7f) * 2 ** shift;
      if ((byte & 0x80) === 0) break;
    }
    if ((field & 7) !== 0) return undefined;
    fields.set(field >> 3, number);
  }
  const [uid, gid] = [fields.get(1) ?? 0, fields.get(2) ?? 0];
  return { ...(uid === 0xffff_ffff ? {} : { uid }), ...(gid === 0xffff_ffff ? {} : { gid }) };
}
