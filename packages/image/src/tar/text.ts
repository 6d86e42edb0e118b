import { isUtf8 } from 'node:buffer';
import type { FieldRange } from './numeric.ts';

/** Text of an archive; `bytes` is set when it is not UTF-8. */
export interface TarText {
  readonly text: string;
  readonly bytes: Buffer | undefined;
}

const empty: TarText = { text: '', bytes: undefined };

/** The text of a field up to its first NUL. */
export function decodeField(block: Buffer, { start, end }: FieldRange): TarText {
  let position = start;
  let highest = 0;
  for (; position < end; position++) {
    const byte = block[position] ?? 0;
    if (byte === 0) break;
    highest |= byte;
  }
  if (position === start) return empty;
  if (highest < 0x80) return { text: block.toString('latin1', start, position), bytes: undefined };
  return decodeText(block.subarray(start, position));
}

/** All of `bytes` as text. The result keeps a copy, never a view. */
export function decodeText(bytes: Buffer): TarText {
  return isUtf8(bytes)
    ? { text: bytes.toString('utf8'), bytes: undefined }
    : { text: bytes.toString('utf8'), bytes: Buffer.from(bytes) };
}
