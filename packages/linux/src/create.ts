import { check, cString, declare, type Path } from './library.ts';
import { syscallNumber } from './syscall.ts';

const mkdiratFunction = declare('int mkdirat(int fd, const char *path, unsigned int mode)');
const symlinkatFunction = declare('int symlinkat(const char *target, int fd, const char *path)');
const linkatFunction = declare(
  'int linkat(int from, const char *path, int to, const char *newPath, int flags)',
);
// glibc has mknodat as a symbol only since 2.33, and the kernel's encoding of device numbers is the same everywhere.
const mknodatFunction = declare(
  'long syscall(long number, long fd, const char *path, long mode, long device)',
);

/** What {@link mknodat} makes: `mode` holds the type (S_IFCHR, S_IFBLK, S_IFIFO, …) and the permissions. */
export interface NodeOptions {
  readonly mode: number;
  readonly major?: number;
  readonly minor?: number;
}

/** mkdirat(2); the umask applies to `mode`. Throws {@link SystemCallError}. */
export function mkdirat(directory: number, path: Path, options: { readonly mode: number }): void {
  check(mkdiratFunction(directory, cString(path, 'mkdirat'), options.mode), { syscall: 'mkdirat', path });
}

/** mknodat(2); the umask applies. Devices need CAP_MKNOD: EPERM otherwise. Throws {@link SystemCallError}. */
export function mknodat(directory: number, path: Path, options: NodeOptions): void {
  const device = encodeDevice(options.major ?? 0, options.minor ?? 0);
  const text = cString(path, 'mknodat');
  check(mknodatFunction(syscallNumber('mknodat'), directory, text, options.mode, device), {
    syscall: 'mknodat',
    path,
  });
}

/** symlinkat(2): `target` is stored as it is. Throws {@link SystemCallError}. */
export function symlinkat(target: Path, directory: number, path: Path): void {
  const text = cString(target, 'symlinkat');
  check(symlinkatFunction(text, directory, cString(path, 'symlinkat')), { syscall: 'symlinkat', path });
}

/** One end of a {@link linkat}: a name below a directory descriptor. */
export interface Location {
  readonly directory: number;
  readonly path: Path;
}

/**
 * linkat(2): gives the file `from` another name. Without AT_SYMLINK_FOLLOW in `flags` a symbolic link itself
 * is linked. Throws {@link SystemCallError}.
 */
export function linkat(from: Location, to: Location, options: { readonly flags?: number } = {}): void {
  const source = cString(from.path, 'linkat');
  const target = cString(to.path, 'linkat');
  check(linkatFunction(from.directory, source, to.directory, target, options.flags ?? 0), {
    syscall: 'linkat',
    path: to.path,
  });
}

/** The kernel's 32-bit form of a device number: 12 bits of major, 20 of minor. Throws EINVAL beyond that. */
function encodeDevice(major: number, minor: number): number {
  if (!(major >= 0 && major < 1 << 12 && minor >= 0 && minor < 1 << 20)) {
    throw new RangeError(`device number ${major}:${minor} is out of range`);
  }
  return (minor & 0xff) + major * 0x100 + (minor >> 8) * 0x100000;
}
