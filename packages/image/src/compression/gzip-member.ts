import { crc32, inflateRawSync } from 'node:zlib';
import { invalidCompression } from './failure.ts';

/** What the beginning of a buffer turned out to be. */
export type GzipMember =
  | { readonly status: 'complete'; readonly output: Buffer; readonly used: number }
  | { readonly status: 'incomplete' }
  /** Its output is larger than `maxOutput`. */
  | { readonly status: 'large' };

const trailerBytes = 8;
const flag = { headerChecksum: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 } as const;

/**
 * Inflates the one gzip member (RFC 1952) that `bytes` begin with, and says how many bytes it has, which
 * none of the engines does for a member. Throws ERR_OCI_COMPRESSION_INVALID when they begin with anything else.
 */
export function readMember(bytes: Buffer, { maxOutput }: { readonly maxOutput: number }): GzipMember {
  const start = headerLength(bytes);
  if (start === undefined) return { status: 'incomplete' };
  const inflated = inflate(bytes.subarray(start), maxOutput);
  if (typeof inflated === 'string') return { status: inflated };
  const { output, used } = inflated;
  const end = start + used;
  if (bytes.length < end + trailerBytes) return { status: 'incomplete' };
  if (bytes.readUInt32LE(end) !== crc32(output) || bytes.readUInt32LE(end + 4) !== output.length) {
    throw invalidCompression('gzip', 'is damaged: wrong checksum');
  }
  return { status: 'complete', output, used: end + trailerBytes };
}

/**
 * The length of the gzip header that `bytes` begin with, or undefined when it goes on behind them.
 * Throws ERR_OCI_COMPRESSION_INVALID when it is none.
 */
export function headerLength(bytes: Buffer): number | undefined {
  const [first = 0x1f, second = 0x8b, method = 8, flags = 0] = bytes;
  if (first !== 0x1f || second !== 0x8b) throw invalidCompression('gzip', 'is followed by something else');
  if (method !== 8 || (flags & flag.reserved) !== 0)
    throw invalidCompression('gzip', 'is damaged: unknown method');
  let position = 10;
  if ((flags & flag.extra) !== 0) {
    if (bytes.length < position + 2) return undefined;
    position += 2 + bytes.readUInt16LE(position);
  }
  for (const text of [flag.name, flag.comment]) {
    if ((flags & text) === 0) continue;
    const end = bytes.indexOf(0, position);
    if (end < 0 || position >= bytes.length) return undefined;
    position = end + 1;
  }
  if ((flags & flag.headerChecksum) !== 0) {
    if (bytes.length < position + 2) return undefined;
    if (bytes.readUInt16LE(position) !== (crc32(bytes.subarray(0, position)) & 0xffff)) {
      throw invalidCompression('gzip', 'is damaged: wrong checksum of the header');
    }
    position += 2;
  }
  return position < bytes.length ? position : undefined;
}

function inflate(
  bytes: Buffer,
  maxOutput: number,
): { readonly output: Buffer; readonly used: number } | 'incomplete' | 'large' {
  try {
    const result: unknown = inflateRawSync(bytes, { info: true, maxOutputLength: maxOutput });
    const { buffer, engine } = result as { buffer: Buffer; engine: { bytesWritten: number } };
    return { output: buffer, used: engine.bytesWritten };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'Z_BUF_ERROR') return 'incomplete';
    if (code === 'ERR_BUFFER_TOO_LARGE') return 'large';
    throw invalidCompression('gzip', 'is damaged', { cause: error });
  }
}
