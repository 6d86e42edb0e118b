import type { TarEntryDraft } from './entry.ts';
import { invalidTar } from './failure.ts';
import { checkId, checkSize } from './header.ts';
import { parseDecimal } from './numeric.ts';
import { type PaxRecords, parsePaxTime } from './pax.ts';
import { decodeText, type TarText } from './text.ts';

/** What extended headers say of the next entry. */
export interface Extensions {
  readonly pax: PaxRecords | undefined;
  readonly gnuName: Buffer | undefined;
  readonly gnuLinkname: Buffer | undefined;
}

const schilyPrefix = 'SCHILY.xattr.';
const libarchivePrefix = 'LIBARCHIVE.xattr.';

/**
 * Applies extended headers to an entry. Precedence, as in Go: a GNU long name over a pax `path` over the
 * header block, and an empty pax value leaves the header's. The size of sparse files is settled elsewhere.
 */
export function applyExtensions(entry: TarEntryDraft, { pax, gnuName, gnuLinkname }: Extensions): void {
  if (pax !== undefined) {
    for (const [key, value] of pax.values) applyRecord(entry, { key, value });
    applyXattrs(entry, pax);
  }
  if (gnuName !== undefined && gnuName.length > 0) setName(entry, decodeText(gnuName));
  if (gnuLinkname !== undefined && gnuLinkname.length > 0) setLinkname(entry, decodeText(gnuLinkname));
}

function applyRecord(
  entry: TarEntryDraft,
  { key, value }: { readonly key: string; readonly value: Buffer },
): void {
  if (value.length === 0) return;
  switch (key) {
    case 'path':
      setName(entry, decodeText(value));
      break;
    case 'linkpath':
      setLinkname(entry, decodeText(value));
      break;
    case 'uname':
      entry.uname = value.toString('utf8');
      break;
    case 'gname':
      entry.gname = value.toString('utf8');
      break;
    case 'uid':
      entry.uid = checkId(parseDecimal(value.toString('latin1'), 'a user id'), 'user id');
      break;
    case 'gid':
      entry.gid = checkId(parseDecimal(value.toString('latin1'), 'a group id'), 'group id');
      break;
    case 'size':
      entry.size = checkSize(parseDecimal(value.toString('latin1'), 'a size'));
      break;
    case 'mtime':
      entry.mtimeNs = parsePaxTime(value.toString('latin1'));
      break;
    case 'atime':
      entry.atimeNs = parsePaxTime(value.toString('latin1'));
      break;
    case 'ctime':
      parsePaxTime(value.toString('latin1'));
      break;
  }
}

/** Sets the name and its raw bytes together. */
export function setName(entry: TarEntryDraft, { text, bytes }: TarText): void {
  entry.name = text;
  entry.nameBytes = bytes;
}

function setLinkname(entry: TarEntryDraft, { text, bytes }: TarText): void {
  entry.linkname = text;
  entry.linknameBytes = bytes;
}

/**
 * Collects extended attributes. An empty value is an attribute with an empty value. libarchive writes
 * each attribute twice; the plain form wins over the encoded one.
 */
function applyXattrs(entry: TarEntryDraft, { values }: PaxRecords): void {
  let xattrs: Map<string, Buffer> | undefined;
  for (const [key, value] of values) {
    if (!key.startsWith(libarchivePrefix)) continue;
    xattrs ??= new Map();
    xattrs.set(decodeLibarchiveName(key.slice(libarchivePrefix.length)), decodeBase64(value));
  }
  for (const [key, value] of values) {
    if (!key.startsWith(schilyPrefix)) continue;
    xattrs ??= new Map();
    xattrs.set(checkXattrName(key.slice(schilyPrefix.length)), value);
  }
  if (xattrs !== undefined) entry.xattrs = xattrs;
}

function decodeLibarchiveName(encoded: string): string {
  try {
    return checkXattrName(decodeURIComponent(encoded));
  } catch (error) {
    throw invalidTar('the name of an extended attribute is not valid', { cause: error });
  }
}

function decodeBase64(value: Buffer): Buffer {
  const text = value.toString('latin1');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) {
    throw invalidTar('the value of an extended attribute is not base64');
  }
  return Buffer.from(text, 'base64');
}

function checkXattrName(name: string): string {
  if (name === '' || name.includes('\0') || name.includes('\u{fffd}')) {
    throw invalidTar('the name of an extended attribute is not valid');
  }
  return name;
}
