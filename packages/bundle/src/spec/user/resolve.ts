import { BundleError } from '../../errors.ts';
import { imageIdLimit } from '../limits.ts';
import { type GroupEntry, type PasswdEntry, parseGroup, parsePasswd } from './databases.ts';

/** Who a process runs as. */
export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
  /** The home directory from `/etc/passwd`; undefined for a user that has no entry there. */
  readonly home: string | undefined;
}

/** The text of a root file system's user databases; undefined when it has none. */
export interface UserDatabases {
  readonly passwd?: string | undefined;
  readonly group?: string | undefined;
}

function notFound(user: string, reason: string): BundleError {
  return new BundleError('ERR_OCI_USER_NOT_FOUND', `cannot run as user ${JSON.stringify(user)}: ${reason}`, {
    actual: user,
    hint: 'Names are looked up in the image; numeric ids such as 1000:1000 need no entry there.',
  });
}

/** A number if the text is meant as one; undefined if it is a name. Throws when it is out of range. */
function numericId(text: string, user: string): number | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  const value = Number(text);
  if (value < 0 || value > imageIdLimit) {
    throw notFound(user, `${text} is not between 0 and ${imageIdLimit}`);
  }
  return value;
}

function checkRange(id: number, user: string): number {
  if (id > imageIdLimit) throw notFound(user, `its id ${id} is above ${imageIdLimit}`);
  return id;
}

function findUser(name: string, user: string, entries: Iterable<PasswdEntry>): PasswdEntry | number {
  const uid = name === '' ? 0 : numericId(name, user);
  for (const entry of entries) {
    if (uid === undefined ? entry.name === name : entry.uid === uid) return entry;
  }
  if (uid === undefined) throw notFound(user, `/etc/passwd of the image has no user ${JSON.stringify(name)}`);
  return uid;
}

function findGroup(name: string, user: string, entries: Iterable<GroupEntry>): number {
  const gid = numericId(name, user);
  if (gid !== undefined) return gid;
  for (const entry of entries) {
    if (entry.name === name) return checkRange(entry.gid, user);
  }
  throw notFound(user, `/etc/group of the image has no group ${JSON.stringify(name)}`);
}

function groupsOf(name: string, user: string, entries: Iterable<GroupEntry>): number[] {
  const gids = new Set<number>();
  for (const entry of entries) {
    if (entry.members.includes(name)) gids.add(checkRange(entry.gid, user));
  }
  return [...gids];
}

/**
 * Resolves `user[:group]` of an image config, each a name or a number, as Docker and umoci do: a number is
 * always an id and needs no entry; a name must have one; without a group the user's own and supplementary
 * groups are taken; the empty text is user 0. Ids are at most 2^31 - 1. Throws ERR_OCI_USER_NOT_FOUND.
 */
export function resolveUser(user: string, databases: UserDatabases): ResolvedUser {
  const [userName = '', groupName = ''] = user.split(':');
  const found = findUser(userName, user, parsePasswd(databases.passwd ?? ''));
  const groups = (): Iterable<GroupEntry> => parseGroup(databases.group ?? '');
  const explicitGid = groupName === '' ? undefined : findGroup(groupName, user, groups());
  if (typeof found === 'number') {
    return { uid: found, gid: explicitGid ?? 0, additionalGids: [], home: undefined };
  }
  return {
    uid: checkRange(found.uid, user),
    gid: explicitGid ?? checkRange(found.gid, user),
    additionalGids: explicitGid === undefined ? groupsOf(found.name, user, groups()) : [],
    home: found.home === '' ? undefined : found.home,
  };
}
