import { type LayeredTree, resolveUser, type UserDatabases } from '@ocijs/bundle';
import { readTreeFile } from '../context/read-tree-file.ts';
import { MAX_USER_DATABASE_BYTES } from '../limits.ts';

/** The ids that own a file. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The owner that `user[:group]` names, each a name of the file system or a number; a number alone is the group, too.
 *
 * @throws BundleError `ERR_OCI_USER_NOT_FOUND`
 */
export function findOwner(tree: LayeredTree, text: string): Owner {
  const [, user, group] = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(text) ?? [];
  if (user !== undefined) return { uid: Number(user), gid: Number(group ?? user) };
  const { uid, gid } = resolveUser(text, readUserDatabases(tree));
  return { uid, gid };
}

/** The users and groups of a file system; a file that is missing, or is no file, has none. */
function readUserDatabases(tree: LayeredTree): UserDatabases {
  return { passwd: readText(tree, '/etc/passwd'), group: readText(tree, '/etc/group') };
}

function readText(tree: LayeredTree, path: string): string | undefined {
  const { file } = tree.resolve(path, { followLast: true });
  // What is too large to be a database of users is none.
  if (file === undefined || file.status.size > MAX_USER_DATABASE_BYTES) return undefined;
  return readTreeFile(tree, path, { limit: MAX_USER_DATABASE_BYTES })?.toString('utf8');
}
