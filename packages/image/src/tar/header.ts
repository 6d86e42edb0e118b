import type { TarEntryDraft } from './entry.ts';
import { invalidTar, quoteName } from './failure.ts';
import { DEVICE_NUMBER_LIMIT, ID_LIMIT } from './limits.ts';
import { type FieldRange, parseNumeric } from './numeric.ts';
import { decodeField } from './text.ts';

const fields = {
  name: { start: 0, end: 100 },
  mode: { start: 100, end: 108 },
  uid: { start: 108, end: 116 },
  gid: { start: 116, end: 124 },
  size: { start: 124, end: 136 },
  mtime: { start: 136, end: 148 },
  linkname: { start: 157, end: 257 },
  uname: { start: 265, end: 297 },
  gname: { start: 297, end: 329 },
  deviceMajor: { start: 329, end: 337 },
  deviceMinor: { start: 337, end: 345 },
  prefix: { start: 345, end: 500 },
  starPrefix: { start: 345, end: 476 },
  gnuAtime: { start: 345, end: 357 },
  gnuCtime: { start: 357, end: 369 },
  starAtime: { start: 476, end: 488 },
} as const satisfies Record<string, FieldRange>;

/** How the parts of a header block behind the first 257 bytes are laid out. */
export type HeaderFormat = 'v7' | 'ustar' | 'star' | 'gnu';

const nanosecondsPerSecond = 1_000_000_000n;
const noXattrs: ReadonlyMap<string, Buffer> = new Map();

/** Recognizes the format by its magic. */
export function headerFormat(block: Buffer): HeaderFormat {
  if (!matches(block, 257, 'ustar')) return 'v7';
  if (block[262] === 0) return matches(block, 508, 'tar\0') ? 'star' : 'ustar';
  return matches(block, 262, '  \0') ? 'gnu' : 'v7';
}

function matches(block: Buffer, offset: number, text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (block[offset + index] !== text.charCodeAt(index)) return false;
  }
  return true;
}

/** Reads the fields of one header block; the type flag is left to the caller, who sets `type`. */
export function decodeHeader(
  block: Buffer,
  { format, offset }: { readonly format: HeaderFormat; readonly offset: number },
): TarEntryDraft {
  const name = decodeField(block, fields.name);
  const linkname = decodeField(block, fields.linkname);
  const entry: TarEntryDraft = {
    name: name.text,
    nameBytes: name.bytes,
    type: 'file',
    linkname: linkname.text,
    linknameBytes: linkname.bytes,
    mode: Number(parseNumeric(block, fields.mode)) & 0o7777,
    uid: checkId(parseNumeric(block, fields.uid), 'user id'),
    gid: checkId(parseNumeric(block, fields.gid), 'group id'),
    uname: '',
    gname: '',
    size: checkSize(parseNumeric(block, fields.size)),
    mtimeNs: parseSeconds(block, fields.mtime),
    atimeNs: undefined,
    deviceMajor: 0,
    deviceMinor: 0,
    xattrs: noXattrs,
    sparse: undefined,
    offset,
  };
  if (format === 'v7') return entry;
  entry.uname = decodeField(block, fields.uname).text;
  entry.gname = decodeField(block, fields.gname).text;
  entry.deviceMajor = checkDevice(parseNumeric(block, fields.deviceMajor));
  entry.deviceMinor = checkDevice(parseNumeric(block, fields.deviceMinor));
  if (format === 'ustar') prependPrefix(entry, { block, field: fields.prefix });
  else if (format === 'star') decodeStar(entry, block);
  else decodeGnu(entry, block);
  return entry;
}

function decodeStar(entry: TarEntryDraft, block: Buffer): void {
  prependPrefix(entry, { block, field: fields.starPrefix });
  entry.atimeNs = parseSeconds(block, fields.starAtime);
}

/**
 * GNU headers have times where ustar has the prefix. Go before 1.8 wrote a prefix there all the same;
 * such a block is told by times that are no numbers and a prefix that is ASCII.
 */
function decodeGnu(entry: TarEntryDraft, block: Buffer): void {
  try {
    if (block[fields.gnuAtime.start] !== 0) entry.atimeNs = parseSeconds(block, fields.gnuAtime);
    if (block[fields.gnuCtime.start] !== 0) parseNumeric(block, fields.gnuCtime);
  } catch {
    entry.atimeNs = undefined;
    if (isAsciiField(block, fields.prefix)) prependPrefix(entry, { block, field: fields.prefix });
  }
}

function isAsciiField(block: Buffer, { start, end }: FieldRange): boolean {
  for (let index = start; index < end && block[index] !== 0; index++) {
    if ((block[index] ?? 0) >= 0x80) return false;
  }
  return true;
}

function prependPrefix(
  entry: TarEntryDraft,
  { block, field }: { readonly block: Buffer; readonly field: FieldRange },
): void {
  if (block[field.start] === 0) return;
  const prefix = decodeField(block, field);
  if (prefix.bytes !== undefined || entry.nameBytes !== undefined) {
    const name = entry.nameBytes ?? Buffer.from(entry.name);
    entry.nameBytes = Buffer.concat([prefix.bytes ?? Buffer.from(prefix.text), Buffer.from('/'), name]);
  }
  entry.name = `${prefix.text}/${entry.name}`;
}

function parseSeconds(block: Buffer, field: FieldRange): bigint {
  return BigInt(parseNumeric(block, field)) * nanosecondsPerSecond;
}

/** Throws unless `value` can be a user or group id of Linux. */
export function checkId(value: number | bigint, what: string): number {
  if (typeof value === 'bigint' || value < 0 || value > ID_LIMIT) {
    throw invalidTar(`a ${what} is ${value}, outside of 0 to ${ID_LIMIT}`, { actual: String(value) });
  }
  return value;
}

/** Throws unless `value` can be the size of a file. */
export function checkSize(value: number | bigint): number {
  if (typeof value === 'bigint' || value < 0) {
    throw invalidTar(`a size is ${value}, not a usable number of bytes`, { actual: String(value) });
  }
  return value;
}

function checkDevice(value: number | bigint): number {
  if (typeof value === 'bigint' || value < 0 || value > DEVICE_NUMBER_LIMIT) {
    throw invalidTar(`a device number is ${value}`, { actual: String(value) });
  }
  return value;
}

/** Turns a type flag and the final name into what the entry creates. */
export function entryType(flag: number, name: string): TarEntryDraft['type'] {
  switch (flag) {
    case 0:
      return name.endsWith('/') ? 'directory' : 'file';
    case 0x30: // '0'
    case 0x37: // '7', contiguous
    case 0x53: // 'S', sparse
      return 'file';
    case 0x31:
      return 'link';
    case 0x32:
      return 'symlink';
    case 0x33:
      return 'character-device';
    case 0x34:
      return 'block-device';
    case 0x35:
      return 'directory';
    case 0x36:
      return 'fifo';
    default:
      throw invalidTar(
        `tar entry ${quoteName(name)} has the unsupported type ${quoteName(String.fromCharCode(flag))}`,
        {
          entry: name,
        },
      );
  }
}
