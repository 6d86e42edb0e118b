import { checksum } from './checksum.ts';
import type { TarEntryType } from './entry.ts';
import { invalidTar, quoteName } from './failure.ts';
import { EXTENDED_HEADER_LIMIT } from './limits.ts';
import {
  encodePaxRecords,
  fieldLimits,
  fitsNameField,
  fitsOwnerField,
  fitsTimeField,
  wholeSeconds,
} from './pax-encode.ts';
import { type CompleteEntry, completeEntry, type TarWriterEntry } from './writer-entry.ts';

const blockSize = 512;

const typeFlags: Readonly<Record<TarEntryType, string>> = {
  file: '0',
  link: '1',
  symlink: '2',
  'character-device': '3',
  'block-device': '4',
  directory: '5',
  fifo: '6',
};

/** The blocks in front of an entry's body, and the entry with its defaults filled in. */
export interface EncodedEntry {
  readonly entry: CompleteEntry;
  readonly blocks: Buffer;
}

/**
 * Encodes what comes before an entry's body: an extended header where the ustar header cannot hold everything, and
 * the header. `bodySize` is what the body has, when it is known. Equal entries give equal bytes.
 *
 * Throws ERR_OCI_TAR_INVALID when the entry cannot be written faithfully.
 */
export function encodeTarEntry(header: TarWriterEntry, bodySize: number | undefined): EncodedEntry {
  const entry = completeEntry(header, bodySize);
  const records = encodePaxRecords(entry);
  if (records.length === 0) {
    const blocks = Buffer.alloc(blockSize);
    encodeHeader(blocks, fieldsOf(entry));
    return { entry, blocks };
  }
  if (records.length > EXTENDED_HEADER_LIMIT) {
    throw invalidTar(`tar entry ${quoteName(header.name)} has more metadata than readers accept`, {
      entry: header.name,
      limit: EXTENDED_HEADER_LIMIT,
      actual: records.length,
    });
  }
  const own = blockSize + records.length + tarPadding(records.length);
  const blocks = Buffer.alloc(own + blockSize);
  encodeHeader(blocks, paxFields(records.length));
  records.copy(blocks, blockSize);
  encodeHeader(blocks.subarray(own), fieldsOf(entry));
  return { entry, blocks };
}

/** How many zeros follow a body of so many bytes. */
export function tarPadding(size: number): number {
  return (blockSize - (size % blockSize)) % blockSize;
}

/** What ends an archive: two blocks of zeros. */
export const TAR_END: Uint8Array = new Uint8Array(2 * blockSize);

/** What is written into a header block, already in a form that fits. */
interface HeaderFields extends Omit<CompleteEntry, 'type' | 'mtimeNs' | 'xattrs'> {
  readonly typeFlag: string;
  readonly seconds: number;
}

function fieldsOf(entry: CompleteEntry): HeaderFields {
  return {
    ...entry,
    name: fieldName(entry.name),
    linkname: fieldName(entry.linkname),
    uname: fitsOwnerField(entry.uname) ? entry.uname : Buffer.of(),
    gname: fitsOwnerField(entry.gname) ? entry.gname : Buffer.of(),
    typeFlag: typeFlags[entry.type],
    seconds: fitsTimeField(entry.mtimeNs) ? wholeSeconds(entry.mtimeNs) : 0,
  };
}

function paxFields(size: number): HeaderFields {
  const none = Buffer.of();
  const ids = { uid: 0, gid: 0, deviceMajor: 0, deviceMinor: 0 };
  const name = Buffer.from('PaxHeader');
  return {
    name,
    typeFlag: 'x',
    size,
    mode: 0o644,
    seconds: 0,
    linkname: none,
    uname: none,
    gname: none,
    ...ids,
  };
}

/** A name that is in a pax record gets something harmless in the block. */
function fieldName(name: Buffer): Buffer {
  if (fitsNameField(name)) return name;
  const text = name.toString('latin1').replace(/[^ -~]/g, '_');
  return Buffer.from(text.slice(0, fieldLimits.nameBytes), 'latin1');
}

function encodeHeader(block: Buffer, fields: HeaderFields): void {
  fields.name.copy(block, 0);
  block.write(octal(fields.mode, 6), 100, 'latin1');
  block.write(identifier(fields.uid), 108, 'latin1');
  block.write(identifier(fields.gid), 116, 'latin1');
  encodeSize(block, fields.size);
  block.write(octal(fields.seconds, 11), 136, 'latin1');
  block.write(fields.typeFlag, 156, 'latin1');
  fields.linkname.copy(block, 157);
  block.write('ustar\x0000', 257, 'latin1');
  fields.uname.copy(block, 265);
  fields.gname.copy(block, 297);
  block.write(identifier(fields.deviceMajor), 329, 'latin1');
  block.write(identifier(fields.deviceMinor), 337, 'latin1');
  block.write(octal(checksum(block), 6).replace(' ', '\0 '), 148, 'latin1');
}

/** Digits and a space, as most archivers write them. */
function octal(value: number, digits: number): string {
  return `${value.toString(8).padStart(digits, '0')} `;
}

/** Ids and device numbers: six digits, or all seven; what is larger is in a pax record. */
function identifier(value: number): string {
  if (value > fieldLimits.octal7) return octal(0, 6);
  return value > 0o777777 ? `${value.toString(8)}\0` : octal(value, 6);
}

/** Sizes above eleven octal digits are in base 256, besides their pax record. */
function encodeSize(block: Buffer, size: number): void {
  if (size <= fieldLimits.size) {
    block.write(octal(size, 11), 124, 'latin1');
    return;
  }
  block[124] = 0x80;
  block.writeBigUInt64BE(BigInt(size), 128);
}
