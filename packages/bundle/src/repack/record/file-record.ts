import type { TarEntry, TarEntryType } from '@ocijs/image';
import { nameFromBytes, nameToBytes } from '@ocijs/linux';

/**
 * What a bundle keeps of one entry of a layer: all that a repack compares files with. Taken from the tar headers while
 * the layer is applied, so that the files are not looked at a second time. One line of JSON each.
 */
type FileRecord = readonly [
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

/** The line for an entry. Bytes that are not UTF-8 become lone surrogates, which JSON escapes. */
export function encodeRecord(entry: TarEntry): string {
  const { type, mode, uid, gid, size, mtimeNs, deviceMajor, deviceMinor, xattrs } = entry;
  const name = entry.nameBytes === undefined ? entry.name : nameFromBytes(entry.nameBytes);
  const linkname = entry.linknameBytes === undefined ? entry.linkname : nameFromBytes(entry.linknameBytes);
  const isDevice = type === 'character-device' || type === 'block-device';
  const record: FileRecord = [
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
  return `${JSON.stringify(record)}\n`;
}

/** The entry of a line. */
export function decodeRecord(line: string): TarEntry {
  const [type, name, mode, uid, gid, size, mtimeNs, linkname, device, xattrs] = JSON.parse(
    line,
  ) as FileRecord;
  const [deviceMajor, deviceMinor] = device === 0 ? [0, 0] : device;
  return {
    type,
    name,
    ...(name.isWellFormed() ? {} : { nameBytes: nameToBytes(name) }),
    mode,
    uid,
    gid,
    size,
    mtimeNs: BigInt(mtimeNs),
    linkname,
    ...(linkname.isWellFormed() ? {} : { linknameBytes: nameToBytes(linkname) }),
    deviceMajor,
    deviceMinor,
    xattrs: new Map(xattrs === 0 ? [] : xattrs.map(([key, value]) => [key, Buffer.from(value, 'base64')])),
    uname: '',
    gname: '',
    offset: 0,
  };
}
