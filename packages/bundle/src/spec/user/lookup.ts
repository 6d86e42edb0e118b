import { userDatabaseSizeLimit } from '../limits.ts';
import { readFileInRoot } from './read-in-root.ts';
import { type ResolvedUser, resolveUser } from './resolve.ts';

/** Reads a regular file of a root file system; undefined when there is none, see `readFileInRoot`. */
export type RootReader = (path: string, options: { readonly limit: number }) => Uint8Array | undefined;

/**
 * Resolves `user[:group]` with the `/etc/passwd` and `/etc/group` of an untrusted root file system; see
 * `resolveUser` for the rules. Throws ERR_OCI_USER_NOT_FOUND, and ERR_OCI_UNPACK_DENIED when one of the files
 * is not a regular file inside the root or is larger than 16 MiB.
 */
export function lookupUser(rootfs: string | RootReader, user: string): ResolvedUser {
  const reader: RootReader =
    typeof rootfs === 'string' ? (path, options) => readFileInRoot(rootfs, path, options) : rootfs;
  const read = (path: string): string | undefined => {
    const bytes = reader(path, { limit: userDatabaseSizeLimit });
    return bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  };
  return resolveUser(user, { passwd: read('/etc/passwd'), group: read('/etc/group') });
}
