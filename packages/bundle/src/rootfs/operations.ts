/** What a name in a directory is. */
export type EntryKind = 'file' | 'directory' | 'symlink' | 'other';

/** What layer application needs to know about a name. */
export interface EntryStatus {
  readonly kind: EntryKind;
  /** Permission, set-id and sticky bits. */
  readonly mode: number;
  readonly gid: number;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
}

/** A name in an open directory; never a path, so that nothing but the name itself is looked up. */
export interface NamedEntry {
  readonly directory: number;
  /** One component, or `.` for the directory itself. */
  readonly name: string;
}

/** What metadata is set on: an open file, or a name, of which a symbolic link is never followed. */
export type MetadataTarget = { readonly fd: number } | NamedEntry;

/** A device or fifo to make. */
export interface NodeKind {
  readonly type: 'character-device' | 'block-device' | 'fifo';
  readonly major: number;
  readonly minor: number;
}

/**
 * The effects that applying a layer has on a file system. Descriptors are numbers; all calls are synchronous and
 * throw errors with an errno name as `code`. Nothing here follows a symbolic link.
 */
export interface RootfsOperations {
  /** Opens the root file system's top directory, for lookups only. */
  openRoot(path: string): number;
  /**
   * Opens the directory at `path` (components separated by `/`) below `directory`, for lookups only.
   * Throws ELOOP or ENOTDIR when a component is a symbolic link or no directory, ENOENT when it is missing.
   */
  openDirectory(directory: number, path: string): number;
  /** Undefined when there is no such name. */
  status(entry: NamedEntry): EntryStatus | undefined;
  readLink(entry: NamedEntry): string;
  /** The names in a directory that {@link openDirectory} opened. */
  list(directory: number): string[];
  /**
   * Who owns what is made in a directory that passes nothing on. Undefined when a umask may change the modes that
   * things are made with.
   */
  readonly creator?: { readonly uid: number; readonly gid: number } | undefined;
  /** Creates a file that must not exist, with mode 0600 or another one, for writing. */
  createFile(entry: NamedEntry, mode?: number): number;
  /** Writes all of `bytes`, at `position` or where the last write ended. */
  write(fd: number, bytes: Uint8Array, position?: number): void;
  /** Sets the length of a file; growing leaves a hole. */
  resize(fd: number, size: number): void;
  /** With mode 0700 or another one. */
  makeDirectory(entry: NamedEntry, mode?: number): void;
  makeSymlink(entry: NamedEntry, target: string): void;
  /** Gives `entry` another name; of a symbolic link the link itself. */
  makeLink(entry: NamedEntry, newEntry: NamedEntry): void;
  /** With mode 0600. */
  makeNode(entry: NamedEntry, node: NodeKind): void;
  /** Removes anything but a directory. */
  remove(entry: NamedEntry): void;
  removeDirectory(entry: NamedEntry): void;
  /** Removes a name and everything below it at once, where that takes less than one by one. */
  removeTree?(entry: NamedEntry, options: { readonly unlock: boolean }): void;
  /** Hides all that lower layers have in a directory, where layers are kept apart. */
  hideLower?(directory: number): void;
  /** True for extended attributes that mean something to the file system, which no layer may set. */
  isReservedAttribute?(name: string): boolean;
  setOwner(target: MetadataTarget, owner: { readonly uid: number; readonly gid: number }): void;
  /** Must not be called for a symbolic link. */
  setMode(target: MetadataTarget, mode: number): void;
  setTimes(target: MetadataTarget, times: { readonly atimeNs: bigint; readonly mtimeNs: bigint }): void;
  listAttributes(target: MetadataTarget): string[];
  setAttribute(target: MetadataTarget, name: string, value: Uint8Array): void;
  removeAttribute(target: MetadataTarget, name: string): void;
  close(fd: number): void;
}
