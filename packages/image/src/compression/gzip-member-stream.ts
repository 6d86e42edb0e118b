import { crc32 } from 'node:zlib';
import { createInflate, type ZlibSync } from './engines.ts';
import { invalidCompression } from './failure.ts';
import { readMember } from './gzip-member.ts';

/** Inflates one gzip member as its bytes come. */
export interface GzipMemberStream {
  /** Takes a piece of the member; returns what lies behind the member once it ended in this piece. */
  push(piece: Buffer): Buffer | undefined;
}

const chunkSize = 64 * 1024;
const trailerBytes = 8;

/** Members of up to this size can be inflated a second time. */
const headLimit = 64 * 1024;

/**
 * Creates the stream of one member over zlib-sync. zlib-sync does not say how much of a piece it used, which
 * must be known when the member ends inside of a piece. The engine has then verified that the last eight
 * bytes it used are the checksum and the length of the output. Both are known here, so the end is behind
 * a place in the piece where they stand. Mostly there is only one. When there are more, the place is found by
 * inflating the member once more if it is small, as empty ones are; a large one is refused, since nobody makes
 * it by accident.
 *
 * Each stream keeps its memory until the thread ends, some 100 KiB and what the largest output of one piece
 * took: use one per layer, not per file, and small pieces.
 */
export function createMemberStream(library: ZlibSync, onOutput: (chunk: Buffer) => void): GzipMemberStream {
  const inflater = createInflate(library, chunkSize);
  let checksum = 0;
  let outputBytes = 0;
  let before: Buffer = Buffer.alloc(0);
  /** All input before the current piece, until there is too much of it. */
  let head: Buffer[] | undefined = [];
  let headBytes = 0;

  /** True when there may be more output for the same input: the engine stops where its buffer is full. */
  function takeOutput(): boolean {
    const { err, result } = inflater;
    if (err === library.Z_BUF_ERROR) return false;
    if (err < 0 || !Buffer.isBuffer(result)) throw invalidCompression('gzip', 'is damaged');
    if (result.length === 0) return false;
    checksum = crc32(result, checksum);
    outputBytes += result.length;
    onOutput(result);
    return err !== library.Z_STREAM_END && result.length % chunkSize === 0;
  }

  function push(piece: Buffer): Buffer | undefined {
    inflater.push(piece, library.Z_SYNC_FLUSH);
    while (takeOutput()) inflater.push(Buffer.alloc(0), library.Z_SYNC_FLUSH);
    if (inflater.err === library.Z_STREAM_END) return piece.subarray(locateEnd(piece));
    before = Buffer.concat([before, piece.subarray(-trailerBytes)]).subarray(-trailerBytes);
    keepHead(piece);
    return undefined;
  }

  function keepHead(piece: Buffer): void {
    headBytes += piece.length;
    if (headBytes > headLimit) head = undefined;
    else head?.push(Buffer.from(piece));
  }

  function locateEnd(piece: Buffer): number {
    const trailer = Buffer.alloc(trailerBytes);
    trailer.writeUInt32LE(checksum, 0);
    trailer.writeUInt32LE(outputBytes % 2 ** 32, 4);
    const haystack = Buffer.concat([before, piece]);
    const earliest = Math.max(before.length + 1 - trailerBytes, 0);
    const found = haystack.indexOf(trailer, earliest);
    if (found < 0) throw invalidCompression('gzip', 'is damaged: its end cannot be found');
    if (haystack.indexOf(trailer, found + 1) < 0) return found + trailerBytes - before.length;
    const whole = head && Buffer.concat([...head, piece]);
    const member = whole && readMember(whole, { maxOutput: outputBytes + 1 });
    if (member?.status === 'complete') return member.used - headBytes;
    throw invalidCompression('gzip', 'hides where its first member ends', {
      hint: 'recompress the layer; common tools do not make such streams',
    });
  }

  return { push };
}
