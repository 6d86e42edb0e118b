/**
 * File names are bytes in Linux. Here they are strings in which every byte that is not part of valid UTF-8
 * is one lone surrogate, U+DC80 to U+DCFF: nothing gets lost, and names can be compared and be keys.
 */
const escapeBase = 0xdc00;

/** The name for bytes. For valid UTF-8 it is the ordinary string. */
export function nameFromBytes(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = buffer.toString('utf8');
  if (!text.includes('\ufffd') || Buffer.from(text).equals(buffer)) return text;
  let name = '';
  for (let index = 0; index < buffer.length; ) {
    const length = sequenceLength(buffer, index);
    name +=
      length === 0
        ? String.fromCharCode(escapeBase + (buffer[index] ?? 0))
        : buffer.toString('utf8', index, index + length);
    index += Math.max(length, 1);
  }
  return name;
}

/** The bytes of a name that {@link nameFromBytes} made, or of any string. */
export function nameToBytes(name: string): Buffer {
  if (name.isWellFormed()) return Buffer.from(name);
  const parts: Buffer[] = [];
  for (const character of name) {
    const code = character.charCodeAt(0);
    const escaped = character.length === 1 && code >= escapeBase + 0x80 && code <= escapeBase + 0xff;
    parts.push(escaped ? Buffer.of(code - escapeBase) : Buffer.from(character));
  }
  return Buffer.concat(parts);
}

/** How many bytes the valid UTF-8 sequence at `index` has; 0 when there is none. */
function sequenceLength(buffer: Buffer, index: number): number {
  const first = buffer[index] ?? 0;
  const length =
    first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  const sequence = buffer.subarray(index, index + length);
  if (length === 0 || sequence.length !== length) return 0;
  const text = sequence.toString('utf8');
  return Buffer.from(text).equals(sequence) ? length : 0;
}
