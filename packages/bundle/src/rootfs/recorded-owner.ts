import { fgetxattr, isSystemCallError, lgetxattr } from '@ocijs/linux';
import { parseRootlessOwner, rootlessOwner } from '../repack/attributes.ts';

/** "As it is", for an id that needs no note. */
const asItIs = 0xffff_ffff;

/**
 * The value of `user.rootlesscontainers` for an owner, in umoci's form: a message of Protocol Buffers with the ids as fields
 * 1 and 2, root's id as "as it is". Undefined for root, who needs no note.
 */
export function encodeRootlessOwner({
  uid,
  gid,
}: {
  readonly uid: number;
  readonly gid: number;
}): Buffer | undefined {
  if (uid === 0 && gid === 0) return undefined;
  return Buffer.from([0x08, ...varint(uid === 0 ? asItIs : uid), 0x10, ...varint(gid === 0 ? asItIs : gid)]);
}

function varint(value: number): readonly number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return [...bytes, rest];
}

/** Who a file belongs to in the image. */
export interface RecordedOwner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Reads which owner of the image an unpack without privileges noted at a file, which is not followed; or at an open
 * descriptor. Undefined when nothing is noted: it is root's, or a link or node, of which nothing can be noted. Such files, and those
 * on file systems without extended attributes, have the owner that the image says, which `repack` looks up.
 */
export function readRecordedOwner(file: string | number): RecordedOwner | undefined {
  try {
    const value = typeof file === 'number' ? fgetxattr(file, rootlessOwner) : lgetxattr(file, rootlessOwner);
    const owner = value && parseRootlessOwner(value);
    return owner && { uid: owner.uid ?? 0, gid: owner.gid ?? 0 };
  } catch (error) {
    if (isSystemCallError(error, 'ENOTSUP', 'EPERM')) return undefined;
    throw error;
  }
}
