/** What an entry of an archive creates. Contiguous and sparse files count as files. */
export type TarEntryType =
  | 'file'
  | 'link'
  | 'symlink'
  | 'directory'
  | 'character-device'
  | 'block-device'
  | 'fifo';

/** A run of real data in a sparse file, in bytes from the beginning of the expanded file. */
export interface SparseSegment {
  readonly offset: number;
  readonly length: number;
}

/** One entry of an archive, with its extended headers applied. */
export interface TarEntry {
  /** As written, with a trailing slash if there was one; bytes that are not UTF-8 are replaced by U+FFFD. */
  readonly name: string;
  /** The bytes of the name, when they are not UTF-8. */
  readonly nameBytes?: Buffer | undefined;
  readonly type: TarEntryType;
  /** Target of a link or symlink, else what the header holds; usually empty. */
  readonly linkname: string;
  /** The bytes of the link name, when they are not UTF-8. */
  readonly linknameBytes?: Buffer | undefined;
  /** Permission, set-id and sticky bits: at most 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly uname: string;
  readonly gname: string;
  /** Bytes of the file once expanded; 0 for everything that is not a file. */
  readonly size: number;
  /** Nanoseconds since 1970, possibly negative. */
  readonly mtimeNs: bigint;
  readonly atimeNs?: bigint | undefined;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** Extended attributes with their full names, such as `security.capability`. */
  readonly xattrs: ReadonlyMap<string, Buffer>;
  /** Of a sparse file: its data in ascending order. All else is zeros and not in the archive. */
  readonly sparse?: readonly SparseSegment[] | undefined;
  /** Where the entry's own header block starts in the archive, in bytes. */
  readonly offset: number;
}

/** A {@link TarEntry} under construction. */
export type TarEntryDraft = { -readonly [Key in keyof TarEntry]: TarEntry[Key] };
