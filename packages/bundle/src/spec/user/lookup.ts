import { userDatabaseSizeLimit } from '../limits.ts';
import { readFileInRoot } from './read-in-root.ts';
import { type ResolvedUser, resolveUser } from './resolve.ts';

/**
 * Resolves `user[:group]` with the `/etc/passwd` and `/etc/group` of an untrusted root file system; see
 * `resolveUser` for the rules. Throws ERR_OCI_USER_NOT_FOUND, and ERR_OCI_UNPACK_DENIED when one of the files
 * is not a regular file inside the root or is larger than 16 MiB.
 */
export function lookupUser(rootfs: string, user: string): ResolvedUser {
  const read = (path: string): string | undefined =>
    readFileInRoot(rootfs, path, { limit: userDatabaseSizeLimit })?.toString('utf8');
  return resolveUser(user, { passwd: read('/etc/passwd'), group: read('/etc/group') });
}
