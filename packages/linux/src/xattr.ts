import { constants } from 'node:os';
import { check, checkUnless, cString, declare, type Path } from './library.ts';
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
  return value(lget(file, text, scratch, scratch.length), { syscall: 'lgetxattr', path });
}

/** fgetxattr(2); undefined when the file has no such attribute. Throws {@link SystemCallError}. */
export function fgetxattr(fd: number, name: Path): Buffer | undefined {
  const text = cString(name, 'fgetxattr');
  return value(fget(fd, text, scratch, scratch.length), { syscall: 'fgetxattr', path: name });
}

/** llistxattr(2). Throws {@link SystemCallError}. */
export function llistxattr(path: Path): string[] {
  const file = cString(path, 'llistxattr');
  return names(bytes(llist(file, scratch, scratch.length), { syscall: 'llistxattr', path }));
}

/** flistxattr(2). Throws {@link SystemCallError}. */
export function flistxattr(fd: number): string[] {
  return names(bytes(flist(fd, scratch, scratch.length), { syscall: 'flistxattr' }));
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

const { ENODATA } = constants.errno;
const scratch = Buffer.alloc(largest);
const nothing = Buffer.alloc(0);

function bytes(result: number, call: { readonly syscall: string; readonly path?: Path }): Buffer {
  const length = check(result, call);
  // Most files have no attributes.
  return length === 0 ? nothing : Buffer.from(scratch.subarray(0, length));
}

/** What a file has not is told without an error, which would cost more than the call. */
function value(result: number, call: { readonly syscall: string; readonly path?: Path }): Buffer | undefined {
  const length = checkUnless(result, { ordinary: [ENODATA], ...call });
  return length === undefined ? undefined : bytes(length, call);
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
