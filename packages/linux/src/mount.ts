import { check, cString, declare, type Path } from './library.ts';

const mountFunction = declare(
  'int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)',
);
const umountFunction = declare('int umount2(const char *target, int flags)');
const statfsFunction = declare('int statfs(const char *path, void *result)');

/** What {@link mount} mounts; what is absent is passed as NULL. */
export interface MountOptions {
  readonly source?: Path;
  readonly type?: string;
  readonly flags?: number;
  readonly data?: string;
}

/** mount(2). Throws {@link SystemCallError}. */
export function mount(target: Path, { source, type, flags = 0, data }: MountOptions): void {
  const text = (value: Path | undefined) => (value === undefined ? null : cString(value, 'mount'));
  const result = mountFunction(text(source), cString(target, 'mount'), text(type), flags, text(data));
  check(result, { syscall: 'mount', path: target });
}

/** umount2(2); MNT_* and UMOUNT_NOFOLLOW in `flags`. Throws {@link SystemCallError}. */
export function umount2(target: Path, options: { readonly flags?: number } = {}): void {
  check(umountFunction(cString(target, 'umount2'), options.flags ?? 0), { syscall: 'umount2', path: target });
}

/** The magic number of the file system that a path is on, from statfs(2). Throws {@link SystemCallError}. */
export function statfs(path: Path): { readonly magic: number; readonly blockSize: number } {
  // struct statfs starts with two 8-byte fields on 64-bit Linux, and has 120 bytes.
  const result = Buffer.alloc(256);
  check(statfsFunction(cString(path, 'statfs'), result), { syscall: 'statfs', path });
  return { magic: result.readUInt32LE(0), blockSize: Number(result.readBigUInt64LE(8)) };
}
