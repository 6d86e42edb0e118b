import * as linux from '@ocijs/linux';
import type { EntryKind, MetadataTarget, NamedEntry, NodeKind, RootfsOperations } from './operations.ts';

const { AT_EMPTY_PATH, AT_FDCWD, AT_REMOVEDIR, AT_SYMLINK_NOFOLLOW } = linux.constants;
const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_PATH, O_RDONLY, O_WRONLY } = linux.constants;
const { RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS } = linux.constants;
const { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG } = linux.constants;

const nofollow = { flags: AT_SYMLINK_NOFOLLOW };
const lookup = O_PATH | O_DIRECTORY | O_NOFOLLOW;
const strict = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS;
const kinds: Readonly<Record<number, EntryKind>> = {
  [S_IFREG]: 'file',
  [S_IFDIR]: 'directory',
  [S_IFLNK]: 'symlink',
};
const nodeTypes = { 'character-device': S_IFCHR, 'block-device': S_IFBLK, fifo: S_IFIFO } as const;

/** How {@link linuxOperations} works. */
export interface LinuxOperationsOptions {
  /** False takes the walk for kernels without openat2; the results are the same. Detected by default. */
  readonly openat2?: boolean;
}

/** The effects on a real file system. Needs Linux and a mounted /proc. */
export function linuxOperations(options: LinuxOperationsOptions = {}): RootfsOperations {
  const openat2 = options.openat2 ?? linux.hasOpenat2();
  return {
    creator: linux.ownUmask() === 0 ? creator() : undefined,
    openRoot: (path) => linux.openat(AT_FDCWD, path, { flags: lookup }),
    openDirectory: openat2
      ? (directory, path) => linux.openat2(directory, path, { flags: lookup, resolve: strict })
      : walk,
    status: ({ directory, name }) => status(directory, name),
    readLink: ({ directory, name }) => linux.readlinkat(directory, name),
    list,
    createFile: ({ directory, name }, mode = 0o600) =>
      linux.openat(directory, name, { flags: O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, mode }),
    write,
    resize: (fd, size) => linux.ftruncate(fd, size),
    makeDirectory: ({ directory, name }, mode = 0o700) => linux.mkdirat(directory, name, { mode }),
    makeSymlink: ({ directory, name }, target) => linux.symlinkat(target, directory, name),
    makeLink: (entry, newEntry) => linux.linkat(location(entry), location(newEntry)),
    makeNode: ({ directory, name }, { type, major, minor }: NodeKind) =>
      linux.mknodat(directory, name, { mode: nodeTypes[type] | 0o600, major, minor }),
    remove: ({ directory, name }) => linux.unlinkat(directory, name),
    removeDirectory: ({ directory, name }) => linux.unlinkat(directory, name, { flags: AT_REMOVEDIR }),
    setOwner: (target, owner) =>
      'fd' in target
        ? linux.fchownat(target.fd, '', { ...owner, flags: AT_EMPTY_PATH })
        : linux.fchownat(target.directory, target.name, { ...owner, ...nofollow }),
    setMode,
    setTimes: (target, times) =>
      'fd' in target
        ? linux.futimens(target.fd, times)
        : linux.utimensat(target.directory, target.name, { ...times, ...nofollow }),
    listAttributes: (target) =>
      'fd' in target ? linux.flistxattr(target.fd) : linux.llistxattr(throughProc(target)),
    setAttribute: (target, name, value) =>
      'fd' in target
        ? linux.fsetxattr(target.fd, { name, value })
        : linux.lsetxattr(throughProc(target), { name, value }),
    removeAttribute: (target, name) =>
      'fd' in target ? linux.fremovexattr(target.fd, name) : linux.lremovexattr(throughProc(target), name),
    close: (fd) => linux.close(fd),
  };
}

function creator(): RootfsOperations['creator'] {
  const [uid, gid] = [process.geteuid?.(), process.getegid?.()];
  return uid === undefined || gid === undefined ? undefined : { uid, gid };
}

function location({ directory, name }: NamedEntry): linux.Location {
  return { directory, path: name };
}

/** The directory is reached through its descriptor; the name after it is not followed by the l*xattr calls. */
function throughProc({ directory, name }: NamedEntry): string {
  return `/proc/self/fd/${directory}/${name}`;
}

/** openDirectory without openat2: one open per component, none of which may be a link. */
function walk(directory: number, path: string): number {
  let current = directory;
  for (const name of path.split('/')) {
    try {
      const next = linux.openat(current, name, { flags: lookup });
      if (current !== directory) linux.close(current);
      current = next;
    } catch (error) {
      if (current !== directory) linux.close(current);
      throw error;
    }
  }
  return current;
}

function status(directory: number, name: string): ReturnType<RootfsOperations['status']> {
  try {
    // The directory itself needs no permission to search it.
    const { mode, gid, atimeNs, mtimeNs } =
      name === '.' ? linux.fstat(directory) : linux.fstatat(directory, name, nofollow);
    return { kind: kinds[mode & S_IFMT] ?? 'other', mode: mode & 0o7777, gid, atimeNs, mtimeNs };
  } catch (error) {
    if (linux.isSystemCallError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function list(directory: number): string[] {
  const fd = linux.openat(directory, '.', { flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW });
  try {
    return linux.listdir(fd);
  } finally {
    linux.close(fd);
  }
}

function write(fd: number, bytes: Uint8Array, position?: number): void {
  for (let done = 0; done < bytes.length; ) {
    const rest = done === 0 ? bytes : bytes.subarray(done);
    done += position === undefined ? linux.write(fd, rest) : linux.pwrite(fd, rest, position + done);
  }
}

/** chmod has no variant that refuses links, but a descriptor of the name itself does. */
function setMode(target: MetadataTarget, mode: number): void {
  if ('fd' in target) {
    linux.fchmod(target.fd, { mode });
    return;
  }
  if (target.name === '.') {
    linux.fchmodat(AT_FDCWD, `/proc/self/fd/${target.directory}`, { mode });
    return;
  }
  const fd = linux.openat(target.directory, target.name, { flags: O_PATH | O_NOFOLLOW });
  try {
    linux.fchmodat(AT_FDCWD, `/proc/self/fd/${fd}`, { mode });
  } finally {
    linux.close(fd);
  }
}
