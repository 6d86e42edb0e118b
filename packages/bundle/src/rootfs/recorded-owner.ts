import { fgetxattr, isSystemCallError, lgetxattr } from '@ocijs/linux';
import { encodeOwnerNote, ownerNoteName, parseOwnerNote } from '../spec/owner-note.ts';

/** The note for an owner, as umoci writes it: an id of root is "as it is". Undefined for root, who needs none. */
export function noteOf({ uid, gid }: RecordedOwner): Buffer | undefined {
  if (uid === 0 && gid === 0) return undefined;
  return encodeOwnerNote({ ...(uid === 0 ? {} : { uid }), ...(gid === 0 ? {} : { gid }) });
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
    const value = typeof file === 'number' ? fgetxattr(file, ownerNoteName) : lgetxattr(file, ownerNoteName);
    const owner = value && parseOwnerNote(value);
    return owner && { uid: owner.uid ?? 0, gid: owner.gid ?? 0 };
  } catch (error) {
    if (isSystemCallError(error, 'ENOTSUP', 'EPERM')) return undefined;
    throw error;
  }
}
