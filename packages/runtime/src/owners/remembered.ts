import { answerOpenat, answerOpenat2, closeQuietly, constants, identityOf, nameToBytes } from '@ocijs/linux';
import type { Owner, OwnerNotes } from './notes.ts';

const { AT_FDCWD, O_DIRECTORY, O_NOFOLLOW, O_PATH, RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS } = constants;

/** Files of a root file system whose owners are not noted at them. */
export interface UnnotedOwners {
  readonly rootfs: string;
  /** Paths from there on, in the form of `@ocijs/linux`. */
  readonly files: readonly (Owner & { readonly path: string })[];
}

/** Remembers the owners of files that are still there; not for ever more than fit. */
export function rememberOwners(notes: OwnerNotes, { rootfs, files }: UnnotedOwners): void {
  if (files.length === 0) return;
  const root = answerOpenat(AT_FDCWD, terminated(rootfs), O_PATH | O_DIRECTORY);
  const how = { flags: O_PATH | O_NOFOLLOW, resolve: RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
  for (const { path, uid, gid } of files) {
    const fd = answerOpenat2(root, terminated(path), how);
    if (fd < 0) continue;
    const identity = identityOf(fd);
    closeQuietly(fd);
    if (identity !== undefined && !notes.remember(identity, { uid, gid })) break;
  }
  closeQuietly(root);
}

function terminated(path: string): Buffer {
  return Buffer.concat([nameToBytes(path), Buffer.of(0)]);
}
