import { createHash } from 'node:crypto';
import { readSync } from 'node:fs';
import * as linux from '@ocijs/linux';

const { AT_FDCWD, AT_SYMLINK_NOFOLLOW, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = linux.constants;
const { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK } = linux.constants;

/** What a file is. */
export type TreeEntryType =
  | 'file'
  | 'directory'
  | 'symlink'
  | 'character-device'
  | 'block-device'
  | 'fifo'
  | 'socket';

const types: Readonly<Record<number, TreeEntryType>> = {
  [S_IFREG]: 'file',
  [S_IFDIR]: 'directory',
  [S_IFLNK]: 'symlink',
  [S_IFCHR]: 'character-device',
  [S_IFBLK]: 'block-device',
  [S_IFIFO]: 'fifo',
  [S_IFSOCK]: 'socket',
};

/** One file of a tree, with everything that an image can say about it. */
export interface TreeEntry {
  /** Relative to the tree; `.` for its top. Bytes that are not UTF-8 are lone surrogates, see `@ocijs/linux`. */
  readonly path: string;
  readonly type: TreeEntryType;
  /** Permission, set-id and sticky bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeNs: bigint;
  /** Of files. */
  readonly size?: number;
  readonly sha256?: string;
  /** Of symbolic links. */
  readonly target?: string;
  /** Of devices: `major:minor`. */
  readonly device?: string;
  /** Of everything with several names: the first of its names in the order of the walk. */
  readonly linkGroup?: string;
  /** Values in hexadecimal. */
  readonly xattrs: Readonly<Record<string, string>>;
}

/** Two trees disagree about one field of one path; `path` itself is the field when only one of them has it. */
export interface Difference {
  readonly path: string;
  readonly field: keyof TreeEntry;
  readonly a: unknown;
  readonly b: unknown;
}

/** Describes all files below a directory, in the order of their paths' bytes. Follows no links. */
export async function describeTree(directory: string): Promise<readonly TreeEntry[]> {
  const entries: TreeEntry[] = [];
  const groups = new Map<string, string>();
  const top = linux.openat(AT_FDCWD, directory, { flags: O_RDONLY | O_DIRECTORY });
  try {
    entries.push(describe(top, { name: '.', path: '.', groups }));
    walk(top, { prefix: '', entries, groups });
  } finally {
    linux.close(top);
  }
  return entries;
}

/** What differs between two trees, path by path. `ignore` leaves fields out. */
export function compareTrees(
  a: readonly TreeEntry[],
  b: readonly TreeEntry[],
  { ignore = [] }: { readonly ignore?: readonly (keyof TreeEntry)[] } = {},
): readonly Difference[] {
  const differences: Difference[] = [];
  const others = new Map(b.map((entry) => [entry.path, entry]));
  for (const entry of a) {
    const other = others.get(entry.path);
    others.delete(entry.path);
    if (other === undefined)
      differences.push({ path: entry.path, field: 'path', a: entry.type, b: undefined });
    else differences.push(...compareEntries(entry, other).filter(({ field }) => !ignore.includes(field)));
  }
  for (const { path, type } of others.values())
    differences.push({ path, field: 'path', a: undefined, b: type });
  return differences;
}

function compareEntries(a: TreeEntry, b: TreeEntry): Difference[] {
  const fields = new Set([...Object.keys(a), ...Object.keys(b)] as (keyof TreeEntry)[]);
  return [...fields]
    .filter((field) => comparable(a[field]) !== comparable(b[field]))
    .map((field) => ({ path: a.path, field, a: a[field], b: b[field] }));
}

function comparable(value: TreeEntry[keyof TreeEntry]): unknown {
  return typeof value === 'object' ? JSON.stringify(Object.entries(value).sort()) : value;
}

interface Walk {
  readonly prefix: string;
  readonly entries: TreeEntry[];
  readonly groups: Map<string, string>;
}

function walk(directory: number, { prefix, entries, groups }: Walk): void {
  const names = linux
    .listdir(directory)
    .sort((a, b) => Buffer.compare(linux.nameToBytes(a), linux.nameToBytes(b)));
  for (const name of names) {
    const path = `${prefix}${name}`;
    const entry = describe(directory, { name, path, groups });
    entries.push(entry);
    if (entry.type !== 'directory') continue;
    const child = linux.openat(directory, name, { flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW });
    try {
      walk(child, { prefix: `${path}/`, entries, groups });
    } finally {
      linux.close(child);
    }
  }
}

function describe(
  directory: number,
  {
    name,
    path,
    groups,
  }: { readonly name: string; readonly path: string; readonly groups: Map<string, string> },
): TreeEntry {
  const status = linux.fstatat(directory, name, { flags: AT_SYMLINK_NOFOLLOW });
  const type = types[status.mode & S_IFMT];
  if (type === undefined) throw new Error(`${path} has an unknown type`);
  return {
    path,
    type,
    mode: status.mode & 0o7777,
    uid: status.uid,
    gid: status.gid,
    mtimeNs: status.mtimeNs,
    ...(type === 'file' ? { size: status.size, sha256: contentDigest(directory, name) } : {}),
    ...(type === 'symlink' ? { target: linux.readlinkat(directory, name) } : {}),
    ...(type.endsWith('device') ? { device: `${status.rdevMajor}:${status.rdevMinor}` } : {}),
    ...(type !== 'directory' && status.nlink > 1 ? { linkGroup: linkGroup(status, { path, groups }) } : {}),
    xattrs: attributes(`/proc/self/fd/${directory}/${name}`),
  };
}

function linkGroup(
  { deviceMajor, deviceMinor, ino }: linux.FileStatus,
  { path, groups }: { readonly path: string; readonly groups: Map<string, string> },
): string {
  const key = `${deviceMajor}:${deviceMinor}:${ino}`;
  const group = groups.get(key) ?? path;
  groups.set(key, group);
  return group;
}

function contentDigest(directory: number, name: string): string {
  const fd = linux.openat(directory, name, { flags: O_RDONLY | O_NOFOLLOW | O_NONBLOCK });
  try {
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafe(1024 * 1024);
    for (let length = readSync(fd, buffer); length > 0; length = readSync(fd, buffer)) {
      hash.update(buffer.subarray(0, length));
    }
    return hash.digest('hex');
  } finally {
    linux.close(fd);
  }
}

function attributes(path: string): Readonly<Record<string, string>> {
  try {
    const names = linux.llistxattr(path).sort();
    return Object.fromEntries(
      names.map((name) => [name, linux.lgetxattr(path, name)?.toString('hex') ?? '']),
    );
  } catch (error) {
    if (linux.isSystemCallError(error, 'ENOTSUP')) return {};
    throw error;
  }
}
