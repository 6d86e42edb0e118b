import { readSync } from 'node:fs';
import { type LayeredTree, resolveUser, type UserDatabases } from '@ocijs/bundle';
import { close } from '@ocijs/linux';
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
  const isFile = file !== undefined && (file.status.mode & 0o170000) === 0o100000;
  if (!isFile || file.status.size > MAX_USER_DATABASE_BYTES) return undefined;
  const fd = tree.open(file);
  try {
    const buffer = Buffer.alloc(file.status.size);
    return buffer.toString('utf8', 0, readSync(fd, buffer, 0, buffer.length, 0));
  } finally {
    close(fd);
  }
}
