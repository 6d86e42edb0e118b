import { bytesOfText, textOfBytes } from '../contents/names.ts';
import type { TarEntry, TarEntryType } from './entry.ts';

/**
 * What is kept of an entry of a layer to compare files with it, or to list it, without reading the layer again: a line
 * of JSON.
 */
export type EntryRecord = readonly [
  type: TarEntryType,
  name: string,
  mode: number,
  uid: number,
  gid: number,
  size: number,
  /** Nanoseconds; JSON numbers would not hold them. */
  mtimeNs: string,
  linkname: string,
  device: readonly [major: number, minor: number] | 0,
  /** Names and base64 values. */
  xattrs: readonly (readonly [name: string, value: string])[] | 0,
];

/** The record of an entry. Bytes that are not UTF-8 become lone surrogates, which JSON escapes. */
export function recordOfEntry(entry: TarEntry): EntryRecord {
  const { type, mode, uid, gid, size, mtimeNs, deviceMajor, deviceMinor, xattrs } = entry;
  const name = entry.nameBytes === undefined ? entry.name : textOfBytes(entry.nameBytes);
  const linkname = entry.linknameBytes === undefined ? entry.linkname : textOfBytes(entry.linknameBytes);
  const isDevice = type === 'character-device' || type === 'block-device';
  return [
    type,
    name,
    mode,
    uid,
    gid,
    size,
    String(mtimeNs),
    linkname,
    isDevice ? [deviceMajor, deviceMinor] : 0,
    xattrs.size === 0 ? 0 : [...xattrs].map(([key, value]) => [key, value.toString('base64')]),
  ];
}

/** The entry of a record. */
export function entryOfRecord(record: EntryRecord): TarEntry {
  const [type, name, mode, uid, gid, size, mtimeNs, linkname, device, xattrs] = record;
  const [deviceMajor, deviceMinor] = device === 0 ? [0, 0] : device;
  return {
    type,
    name,
    ...(name.isWellFormed() ? {} : { nameBytes: bytesOfText(name) }),
    mode,
    uid,
    gid,
    size,
    mtimeNs: BigInt(mtimeNs),
    linkname,
    ...(linkname.isWellFormed() ? {} : { linknameBytes: bytesOfText(linkname) }),
    deviceMajor,
    deviceMinor,
    xattrs: new Map(xattrs === 0 ? [] : xattrs.map(([key, value]) => [key, Buffer.from(value, 'base64')])),
    uname: '',
    gname: '',
    offset: 0,
  };
}
