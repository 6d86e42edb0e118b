import { type Crc64, crc64 } from './crc64.ts';

/** Notes everything of a tar archive but the content of its files, so that it can be put together again (vbatts/tar-split). */
export interface TarSplit {
  /** Bytes of the archive that are no content. */
  segment(bytes: Uint8Array): void;
  /** Begins the content of an entry; every entry has one, if only of no bytes. */
  file(name: string): void;
  content(bytes: Uint8Array): void;
  /** All notes, one JSON document a line. Ends the archive. */
  finish(): Buffer;
}

/** Starts to take notes. */
export function createTarSplit(): TarSplit {
  const lines: string[] = [];
  let segment: Uint8Array[] = [];
  let file: { readonly name: string; size: number; readonly sum: Crc64 } | undefined;
  const add = (fields: object): void => {
    lines.push(`${JSON.stringify({ ...fields, position: lines.length })}\n`);
  };
  const endFile = (): void => {
    if (file === undefined) return;
    const { name, size, sum } = file;
    const payload = size === 0 ? null : sum.digest().toString('base64');
    add({ type: 1, name, ...(size === 0 ? {} : { size }), payload });
    file = undefined;
  };
  const endSegment = (): void => {
    if (segment.length > 0) add({ type: 2, payload: Buffer.concat(segment).toString('base64') });
    segment = [];
  };
  return {
    segment(bytes) {
      endFile();
      segment.push(bytes);
    },
    file(name) {
      endFile();
      endSegment();
      file = { name, size: 0, sum: crc64() };
    },
    content(bytes) {
      if (file === undefined) return;
      file.size += bytes.length;
      file.sum.update(bytes);
    },
    finish() {
      endFile();
      endSegment();
      return Buffer.from(lines.join(''));
    },
  };
}
