import { once } from 'node:events';
import type { Header, Pack } from 'tar-stream';
import type { TarEntryType } from './entry.ts';
import { invalidTar, quoteName } from './failure.ts';
import type { HeaderPatch } from './header-patch.ts';
import { fieldLimits, fitsNameField, fitsOwnerField, fitsTimeField, wholeSeconds } from './pax-encode.ts';
import type { CompleteEntry } from './writer-entry.ts';

/** tar-stream takes a mode of 0 for "not given"; a bit that it masks away keeps the 0. */
const modeGiven = 0o10000;

/** tar-stream writes ids and device numbers with six digits. */
const sixDigits = 0o777777;

type PackHeader = Partial<Header> & Pick<Header, 'name'>;

/** The header that tar-stream is given: what does not fit is in pax records and replaced by something harmless. */
export function packHeader(entry: CompleteEntry): PackHeader {
  return {
    name: fieldName(entry.name),
    type: entry.type,
    linkname: fieldName(entry.linkname),
    mode: entry.mode | modeGiven,
    uid: entry.uid > sixDigits ? 0 : entry.uid,
    gid: entry.gid > sixDigits ? 0 : entry.gid,
    size: entry.size,
    mtime: new Date(fitsTimeField(entry.mtimeNs) ? wholeSeconds(entry.mtimeNs) * 1000 : 0),
    uname: fitsOwnerField(entry.uname) ? entry.uname.toString('latin1') : '',
    gname: fitsOwnerField(entry.gname) ? entry.gname.toString('latin1') : '',
    devmajor: entry.deviceMajor > sixDigits ? 0 : entry.deviceMajor,
    devminor: entry.deviceMinor > sixDigits ? 0 : entry.deviceMinor,
  };
}

/** The header of an extended header; it goes in as a file, since tar-stream writes no other type with a body. */
export function paxPackHeader(size: number): PackHeader {
  return { name: 'PaxHeader', type: 'file', size, mode: 0o644, mtime: new Date(0) };
}

/** The numbers of seven octal digits, which the block can hold but tar-stream does not write. */
export function sevenDigitFields(entry: CompleteEntry): HeaderPatch['octalFields'] {
  return [
    { offset: 108, value: entry.uid },
    { offset: 116, value: entry.gid },
    { offset: 329, value: entry.deviceMajor },
    { offset: 337, value: entry.deviceMinor },
  ].filter(({ value }) => value > sixDigits && value <= fieldLimits.octal7);
}

function fieldName(name: Buffer): string {
  if (fitsNameField(name)) return name.toString('latin1');
  return name
    .toString('latin1')
    .replace(/[^ -~]/g, '_')
    .slice(0, fieldLimits.nameBytes);
}

/** Lets tar-stream write one entry that is in memory. */
export function packBytes(
  pack: Pack,
  { header, bytes }: { readonly header: PackHeader; readonly bytes: Uint8Array },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error?: Error | null): void => (error ? reject(error) : resolve());
    const sink = isFile(header.type) ? pack.entry(header, bytes, done) : pack.entry(header, done);
    sink.on('error', reject);
  });
}

function isFile(type: TarEntryType | 'contiguous-file' | undefined): boolean {
  return type === 'file';
}

/** Lets tar-stream write one file from a stream of exactly `header.size` bytes. */
export async function packStream(
  pack: Pack,
  {
    header,
    body,
    label,
  }: { readonly header: PackHeader; readonly body: AsyncIterable<Uint8Array>; readonly label: string },
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const sink = pack.entry(header, (error) => (error ? reject(error) : resolve()));
  sink.on('error', reject);
  const size = header.size ?? 0;
  try {
    let written = 0;
    for await (const chunk of body) {
      written += chunk.length;
      if (written > size) throw wrongSize(label, { expected: size, actual: written });
      if (chunk.length > 0 && !sink.write(chunk)) await Promise.race([once(sink, 'drain'), promise]);
    }
    if (written < size) throw wrongSize(label, { expected: size, actual: written });
  } catch (error) {
    promise.catch(() => undefined);
    sink.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
  sink.end(undefined);
  await promise;
}

function wrongSize(
  label: string,
  { expected, actual }: { readonly expected: number; readonly actual: number },
): Error {
  return invalidTar(`the body of tar entry ${quoteName(label)} has another size than its header`, {
    entry: label,
    expected,
    actual,
  });
}
