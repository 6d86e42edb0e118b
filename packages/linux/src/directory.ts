import { check, cString, declare, type Path } from './library.ts';
import { nameFromBytes } from './names.ts';
import { syscallNumber } from './syscall.ts';

const getdents = declare('long syscall(long number, long fd, void *buffer, size_t length)');
const lseek = declare('long lseek(int fd, long offset, int whence)');
const readlinkatFunction = declare('long readlinkat(int fd, const char *path, void *buffer, size_t length)');

/**
 * The names in an open directory, without `.` and `..`, in the file system's order.
 * The descriptor must be readable (not O_PATH). Throws {@link SystemCallError}.
 */
export function listdir(fd: number): string[] {
  check(lseek(fd, 0, 0), { syscall: 'lseek' });
  return listEntries(fd).map(({ name }) => name);
}

/** A name in a directory. */
export interface DirectoryEntry {
  readonly name: string;
  /** Whether it is a directory; undefined where the file system does not say. */
  readonly isDirectory: boolean | undefined;
}

/** Types in struct linux_dirent64. */
const unknown = 0;
const directory = 4;

const buffer = Buffer.alloc(32_768);

/** The same with what {@link DirectoryEntry} tells besides, of a directory that nobody has read from since it was opened. */
export function listEntries(fd: number): DirectoryEntry[] {
  const entries: DirectoryEntry[] = [];
  for (;;) {
    const length = check(getdents(syscallNumber('getdents64'), fd, buffer, buffer.length), {
      syscall: 'getdents64',
    });
    if (length === 0) return entries;
    // struct linux_dirent64: inode 8, offset 8, record length 2, type 1, name up to NUL
    for (let offset = 0; offset < length; offset += buffer.readUInt16LE(offset + 16)) {
      const name = nameFromBytes(buffer.subarray(offset + 19, buffer.indexOf(0, offset + 19)));
      if (name === '.' || name === '..') continue;
      const type = buffer[offset + 18] ?? unknown;
      entries.push({ name, isDirectory: type === unknown ? undefined : type === directory });
    }
  }
}

const linkScratch = Buffer.alloc(4_097);

/** readlinkat(2): the target as it is stored. With path '' the O_PATH descriptor's own. Throws {@link SystemCallError}. */
export function readlinkat(directory: number, path: Path): string {
  const text = cString(path, 'readlinkat');
  const length = readlinkatFunction(directory, text, linkScratch, linkScratch.length);
  return nameFromBytes(linkScratch.subarray(0, check(length, { syscall: 'readlinkat', path })));
}
