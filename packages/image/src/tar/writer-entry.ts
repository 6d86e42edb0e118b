import type { TarEntryType } from './entry.ts';
import { invalidTar, quoteName } from './failure.ts';
import { ID_LIMIT } from './limits.ts';

/** What is written; every {@link TarEntry} that is not sparse can be passed as it is. */
export interface TarWriterEntry {
  /** Directories get a trailing slash when they have none. */
  readonly name: string;
  /** Written instead of `name`, byte by byte. */
  readonly nameBytes?: Uint8Array | undefined;
  /** `file` unless given. */
  readonly type?: TarEntryType | undefined;
  readonly linkname?: string | undefined;
  /** Written instead of `linkname`, byte by byte. */
  readonly linknameBytes?: Uint8Array | undefined;
  /** Permission, set-id and sticky bits; 0o755 for directories and 0o644 otherwise unless given. */
  readonly mode?: number | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  readonly uname?: string | undefined;
  readonly gname?: string | undefined;
  /** Bytes of a file's body; needed when the body is a stream, else it must agree with the body. */
  readonly size?: number | undefined;
  /** Nanoseconds since 1970; 0 unless given. */
  readonly mtimeNs?: bigint | undefined;
  readonly deviceMajor?: number | undefined;
  readonly deviceMinor?: number | undefined;
  readonly xattrs?: ReadonlyMap<string, Uint8Array> | undefined;
}

/** Seven octal digits; Linux has 12 bits of major and 20 of minor numbers. */
const maxDevice = 0o7777777;

/** A {@link TarWriterEntry} with its defaults filled in and its values checked. */
export interface CompleteEntry {
  readonly name: Buffer;
  readonly type: TarEntryType;
  readonly linkname: Buffer;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly uname: Buffer;
  readonly gname: Buffer;
  readonly size: number;
  readonly mtimeNs: bigint;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
}

/** Fills in what is missing and refuses what a reader would not read back as it was. */
export function completeEntry(entry: TarWriterEntry, bodySize: number | undefined): CompleteEntry {
  const type = entry.type ?? 'file';
  const name = Buffer.from(entry.nameBytes ?? Buffer.from(entry.name));
  const isLink = type === 'link' || type === 'symlink';
  const linkname = isLink
    ? Buffer.from(entry.linknameBytes ?? Buffer.from(entry.linkname ?? ''))
    : Buffer.alloc(0);
  const complete: CompleteEntry = {
    name: type === 'directory' && name.at(-1) !== 0x2f ? Buffer.concat([name, Buffer.from('/')]) : name,
    type,
    linkname,
    mode: entry.mode ?? (type === 'directory' ? 0o755 : 0o644),
    uid: entry.uid ?? 0,
    gid: entry.gid ?? 0,
    uname: Buffer.from(entry.uname ?? ''),
    gname: Buffer.from(entry.gname ?? ''),
    size: type === 'file' ? (bodySize ?? entry.size ?? 0) : 0,
    mtimeNs: entry.mtimeNs ?? 0n,
    deviceMajor: entry.deviceMajor ?? 0,
    deviceMinor: entry.deviceMinor ?? 0,
    xattrs: entry.xattrs ?? new Map(),
  };
  check(complete, { label: entry.name, isLink });
  if (type === 'file' && bodySize !== undefined && (entry.size ?? bodySize) !== bodySize) {
    throw invalidTar(
      `tar entry ${quoteName(entry.name)} has the size ${entry.size} but a body of ${bodySize} bytes`,
      { entry: entry.name },
    );
  }
  return complete;
}

function check(
  entry: CompleteEntry,
  { label, isLink }: { readonly label: string; readonly isLink: boolean },
): void {
  const refuse = (what: string): never => {
    throw invalidTar(`tar entry ${quoteName(label)} ${what}`, { entry: label });
  };
  if (entry.name.length === 0) refuse('has no name');
  if (isLink && entry.linkname.length === 0) refuse('has no link target');
  for (const text of [entry.name, entry.linkname, entry.uname, entry.gname]) {
    if (text.includes(0)) refuse('holds a NUL in a name');
  }
  requireRange(entry.mode, { maximum: 0o7777, what: 'mode', refuse });
  requireRange(entry.uid, { maximum: ID_LIMIT, what: 'user id', refuse });
  requireRange(entry.gid, { maximum: ID_LIMIT, what: 'group id', refuse });
  requireRange(entry.size, { maximum: Number.MAX_SAFE_INTEGER, what: 'size', refuse });
  requireRange(entry.deviceMajor, { maximum: maxDevice, what: 'device number', refuse });
  requireRange(entry.deviceMinor, { maximum: maxDevice, what: 'device number', refuse });
  for (const name of entry.xattrs.keys()) {
    if (name === '' || name.includes('=') || name.includes('\0')) refuse('has an invalid attribute name');
  }
}

function requireRange(
  value: number,
  {
    maximum,
    what,
    refuse,
  }: { readonly maximum: number; readonly what: string; readonly refuse: (what: string) => never },
): void {
  if (!Number.isInteger(value) || value < 0 || value > maximum) {
    refuse(`has the ${what} ${value}, outside of 0 to ${maximum}`);
  }
}
