import { isSystemCallError } from './errors.ts';
import { check, cString, declare, type Path } from './library.ts';
import { nameFromBytes } from './names.ts';

const fset = declare('int fsetxattr(int fd, const char *name, const void *value, size_t size, int flags)');
const lset = declare(
  'int lsetxattr(const char *path, const char *name, const void *value, size_t size, int flags)',
);
const lget = declare('long lgetxattr(const char *path, const char *name, void *value, size_t size)');
const llist = declare('long llistxattr(const char *path, void *list, size_t size)');
const lremove = declare('int lremovexattr(const char *path, const char *name)');
const fget = declare('long fgetxattr(int fd, const char *name, void *value, size_t size)');
const flist = declare('long flistxattr(int fd, void *list, size_t size)');
const fremove = declare('int fremovexattr(int fd, const char *name)');

/** The longest value, and the longest list of names, that the kernel has (XATTR_SIZE_MAX), in bytes. */
const largest = 65_536;

/** An extended attribute to set; the value is bytes. */
export interface ExtendedAttribute {
  readonly name: Path;
  readonly value: Uint8Array;
  /** XATTR_CREATE or XATTR_REPLACE. */
  readonly flags?: number;
}

/** fsetxattr(2). EBADF for O_PATH descriptors. Throws {@link SystemCallError}. */
export function fsetxattr(fd: number, { name, value, flags }: ExtendedAttribute): void {
  const text = cString(name, 'fsetxattr');
  check(fset(fd, text, value, value.length, flags ?? 0), { syscall: 'fsetxattr', path: name });
}

/** lsetxattr(2), which does not follow a link at the end of `path`. Throws {@link SystemCallError}. */
export function lsetxattr(path: Path, { name, value, flags }: ExtendedAttribute): void {
  const file = cString(path, 'lsetxattr');
  check(lset(file, cString(name, 'lsetxattr'), value, value.length, flags ?? 0), {
    syscall: 'lsetxattr',
    path,
  });
}

/** lgetxattr(2); undefined when the file has no such attribute. Throws {@link SystemCallError}. */
export function lgetxattr(path: Path, name: Path): Buffer | undefined {
  const file = cString(path, 'lgetxattr');
  const text = cString(name, 'lgetxattr');
  return optional(() =>
    read((buffer, size) => lget(file, text, buffer, size), { syscall: 'lgetxattr', path }),
  );
}

/** fgetxattr(2); undefined when the file has no such attribute. Throws {@link SystemCallError}. */
export function fgetxattr(fd: number, name: Path): Buffer | undefined {
  const text = cString(name, 'fgetxattr');
  return optional(() =>
    read((buffer, size) => fget(fd, text, buffer, size), { syscall: 'fgetxattr', path: name }),
  );
}

/** llistxattr(2). Throws {@link SystemCallError}. */
export function llistxattr(path: Path): string[] {
  const file = cString(path, 'llistxattr');
  return names(read((buffer, size) => llist(file, buffer, size), { syscall: 'llistxattr', path }));
}

/** flistxattr(2). Throws {@link SystemCallError}. */
export function flistxattr(fd: number): string[] {
  return names(read((buffer, size) => flist(fd, buffer, size), { syscall: 'flistxattr' }));
}

/** lremovexattr(2). Throws {@link SystemCallError}. */
export function lremovexattr(path: Path, name: Path): void {
  const file = cString(path, 'lremovexattr');
  check(lremove(file, cString(name, 'lremovexattr')), { syscall: 'lremovexattr', path });
}

/** fremovexattr(2). Throws {@link SystemCallError}. */
export function fremovexattr(fd: number, name: Path): void {
  check(fremove(fd, cString(name, 'fremovexattr')), { syscall: 'fremovexattr', path: name });
}

const scratch = Buffer.alloc(largest);
const nothing = Buffer.alloc(0);

function read(
  call: (buffer: Buffer, size: number) => number,
  what: { readonly syscall: string; readonly path?: Path },
): Buffer {
  const length = check(call(scratch, scratch.length), what);
  // Most files have no attributes.
  return length === 0 ? nothing : Buffer.from(scratch.subarray(0, length));
}

function optional(call: () => Buffer): Buffer | undefined {
  try {
    return call();
  } catch (error) {
    if (isSystemCallError(error, 'ENODATA')) return undefined;
    throw error;
  }
}

function names(list: Buffer): string[] {
  const found: string[] = [];
  for (let start = 0; start < list.length; ) {
    const end = list.indexOf(0, start);
    found.push(nameFromBytes(list.subarray(start, end)));
    start = end + 1;
  }
  return found;
}
