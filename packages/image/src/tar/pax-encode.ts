import { isAscii, isUtf8 } from 'node:buffer';
import type { CompleteEntry } from './writer-entry.ts';

/** What the fields of a ustar header can hold as tar-stream writes them. */
export const fieldLimits: {
  readonly nameBytes: number;
  readonly ownerBytes: number;
  readonly octal7: number;
  readonly size: number;
  readonly seconds: number;
} = { nameBytes: 100, ownerBytes: 31, octal7: 0o7777777, size: 0o77777777777, seconds: 0x7fff_ffff };

const nanosecondsPerSecond = 1_000_000_000n;

/**
 * The pax records for everything about an entry that its header block cannot hold; empty when the block
 * holds it all. The order is fixed, so that equal entries give equal bytes.
 */
export function encodePaxRecords(entry: CompleteEntry): Buffer {
  const records: Buffer[] = [];
  const add = (key: string, value: string | Uint8Array): void => {
    records.push(encodePaxRecord(key, value));
  };
  const names = [entry.name, entry.linkname].filter((name) => !fitsNameField(name));
  if (names.some((name) => !isUtf8(name))) add('hdrcharset', 'BINARY');
  if (!fitsNameField(entry.name)) add('path', entry.name);
  if (!fitsNameField(entry.linkname)) add('linkpath', entry.linkname);
  if (entry.uid > fieldLimits.octal7) add('uid', String(entry.uid));
  if (entry.gid > fieldLimits.octal7) add('gid', String(entry.gid));
  if (entry.size > fieldLimits.size) add('size', String(entry.size));
  if (!fitsTimeField(entry.mtimeNs)) add('mtime', formatPaxTime(entry.mtimeNs));
  if (!fitsOwnerField(entry.uname)) add('uname', entry.uname);
  if (!fitsOwnerField(entry.gname)) add('gname', entry.gname);
  const xattrs = [...entry.xattrs].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  for (const [name, value] of xattrs) add(`SCHILY.xattr.${name}`, value);
  return Buffer.concat(records);
}

/** One record, `LENGTH KEY=VALUE\n`, where the length counts its own digits. */
export function encodePaxRecord(key: string, value: string | Uint8Array): Buffer {
  const content = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')]);
  let length = content.length + String(content.length).length;
  if (String(length).length + content.length !== length) length++;
  return Buffer.concat([Buffer.from(String(length)), content]);
}

/** True when a name needs no pax record: ASCII and short enough without being split. */
export function fitsNameField(name: Buffer): boolean {
  return name.length <= fieldLimits.nameBytes && isAscii(name);
}

/** True for a user or group name that needs no pax record. */
export function fitsOwnerField(name: Buffer): boolean {
  return name.length <= fieldLimits.ownerBytes && isAscii(name);
}

/** True for whole seconds that need no pax record. */
export function fitsTimeField(timeNs: bigint): boolean {
  return timeNs >= 0n && timeNs % nanosecondsPerSecond === 0n && wholeSeconds(timeNs) <= fieldLimits.seconds;
}

/** Nanoseconds as whole seconds, rounded towards zero. */
export function wholeSeconds(timeNs: bigint): number {
  return Number(timeNs / nanosecondsPerSecond);
}

/** Nanoseconds as decimal seconds without needless zeros. */
export function formatPaxTime(timeNs: bigint): string {
  const magnitude = timeNs < 0n ? -timeNs : timeNs;
  const seconds = `${timeNs < 0n ? '-' : ''}${magnitude / nanosecondsPerSecond}`;
  const fraction = magnitude % nanosecondsPerSecond;
  return fraction === 0n ? seconds : `${seconds}.${String(fraction).padStart(9, '0').replace(/0+$/, '')}`;
}
