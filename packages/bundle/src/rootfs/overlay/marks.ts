import * as linux from '@ocijs/linux';

const { O_DIRECTORY, O_NOFOLLOW, S_IFCHR, S_IFMT } = linux.constants;

/**
 * Which extended attributes mark directories: `trusted.overlay.*` takes root in the initial user namespace,
 * `user.overlay.*` (mount option `userxattr`) everybody may set.
 */
export type OverlayForm = 'trusted' | 'user';

const reserved = /^(trusted|user)\.overlay\./;

/**
 * True for attributes that overlayfs acts upon. A layer that brings its own could make directories show others, or
 * files take their content from elsewhere.
 */
export function isOverlayAttribute(name: string): boolean {
  return reserved.test(name);
}

/** The attribute that ends the view on lower layers at a directory, when it is `y`. */
export function opaqueAttribute(form: OverlayForm): string {
  return `${form}.overlay.opaque`;
}

/**
 * Where the permission bits are that would keep an ordinary user from reading its own snapshot; the file itself
 * then has more. Overlayfs hides the attribute.
 */
export const modeAttribute = 'user.overlay.ocijs.mode';

/** A character device 0:0 hides the name in lower layers. */
export function isWhiteout({ mode, rdevMajor, rdevMinor }: linux.FileStatus): boolean {
  return (mode & S_IFMT) === S_IFCHR && rdevMajor === 0 && rdevMinor === 0;
}

/** Makes a whiteout; since Linux 5.8 without privileges. */
export function makeWhiteout(directory: number, name: string): void {
  linux.mknodat(directory, name, { mode: S_IFCHR });
}

/** The status of a name, links not followed; undefined when there is none. */
export function statusAt(directory: number, path: string): linux.FileStatus | undefined {
  return linux.tryFstatat(directory, path, { flags: linux.constants.AT_SYMLINK_NOFOLLOW });
}

/** A path for calls that have no variant with a descriptor; its last component is not to be followed. */
export function procPath(directory: number, path: string): string {
  return `/proc/self/fd/${directory}/${path}`;
}

/** True when a directory hides what lower layers have at its place. */
export function isOpaque(directory: number, path: string, form: OverlayForm): boolean {
  try {
    return linux.lgetxattr(procPath(directory, path), opaqueAttribute(form))?.toString() === 'y';
  } catch (error) {
    if (linux.isSystemCallError(error, 'ENOTSUP')) return false;
    throw error;
  }
}

/** The names in a directory of a layer. */
export function listLayer(layer: number, path: string): string[] {
  return listLayerEntries(layer, path).map(({ name }) => name);
}

/** The same, with which of them are directories. */
export function listLayerEntries(layer: number, path: string): linux.DirectoryEntry[] {
  const fd = linux.openat(layer, path, { flags: O_DIRECTORY | O_NOFOLLOW });
  try {
    return linux.listEntries(fd);
  } finally {
    linux.close(fd);
  }
}

/** The names of the extended attributes of a file; none where the file system knows no attributes. */
export function attributeNames(path: string): readonly string[] {
  try {
    return linux.llistxattr(path);
  } catch (error) {
    if (linux.isSystemCallError(error, 'ENOTSUP')) return [];
    throw error;
  }
}
