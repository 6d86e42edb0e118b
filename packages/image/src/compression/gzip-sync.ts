import type { ZlibSync } from './engines.ts';
import { invalidCompression } from './failure.ts';
import { readMember } from './gzip-member.ts';
import { createMemberStream, type GzipMemberStream } from './gzip-member-stream.ts';
import { createOutputBuffer } from './output-buffer.ts';
import type { SyncDecompressor } from './sync-decompressor.ts';
import { requireZeros } from './zero-padding.ts';

/** Input per call of the engine; as it has no bound for its output, this one bounds it to some 17 MiB. */
const pieceBytes = 16 * 1024;

/** Members behind the first one are inflated whole, up to these sizes; larger ones get a stream of their own. */
const wholeMember = { input: 8 * 1024 * 1024, output: 64 * 1024 * 1024 } as const;

/**
 * Inflates a gzip stream synchronously, with the rules of `decodeGzip`: all members, zeros behind the last
 * one. Mostly there is one member, and it streams through zlib-sync.
 */
export function createSyncGunzip(library: ZlibSync, onOutput: (chunk: Buffer) => void): SyncDecompressor {
  const output = createOutputBuffer(onOutput);
  let member: GzipMemberStream | undefined = createMemberStream(library, output.write);
  let pending: Buffer = Buffer.alloc(0);
  let nextAttempt = 0;
  let isPadding = false;
  let sawInput = false;

  function push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    sawInput = true;
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    consume(pending.length === 0 ? bytes : Buffer.concat([pending, bytes]));
    output.flush();
  }

  function consume(input: Buffer): void {
    let rest: Buffer = input;
    pending = Buffer.alloc(0);
    while (rest.length > 0 && !isPadding) {
      if (member === undefined && rest[0] === 0) {
        isPadding = true;
        break;
      }
      const left: Buffer | undefined = member === undefined ? takeWhole(rest) : takePieces(member, rest);
      if (left === undefined) return;
      rest = left;
    }
    requireZeros(rest, 'gzip');
  }

  /** Streams the current member; returns what is behind it, or undefined when it goes on. */
  function takePieces(stream: GzipMemberStream, bytes: Buffer): Buffer | undefined {
    for (let position = 0; position < bytes.length; position += pieceBytes) {
      const rest = stream.push(bytes.subarray(position, position + pieceBytes));
      if (rest === undefined) continue;
      member = undefined;
      nextAttempt = 0;
      return bytes.subarray(Math.min(position + pieceBytes, bytes.length) - rest.length);
    }
    return undefined;
  }

  /** Inflates a member at once; keeps the bytes for later when it is not complete. */
  function takeWhole(bytes: Buffer): Buffer | undefined {
    if (bytes.length < nextAttempt) return keep(bytes);
    const result = readMember(bytes, { maxOutput: wholeMember.output });
    if (result.status === 'complete') {
      nextAttempt = 0;
      output.write(result.output);
      return bytes.subarray(result.used);
    }
    if (result.status === 'incomplete' && bytes.length < wholeMember.input) {
      // Each failed attempt inflates for nothing; doubling bounds that to once per byte.
      nextAttempt = bytes.length * 2;
      return keep(bytes);
    }
    member = createMemberStream(library, output.write);
    return bytes;
  }

  function keep(bytes: Buffer): undefined {
    pending = Buffer.from(bytes);
  }

  function finish(): void {
    if (!sawInput) throw invalidCompression('gzip', 'is empty');
    nextAttempt = 0;
    if (pending.length > 0) consume(pending);
    output.flush();
    if (member !== undefined || pending.length > 0) throw invalidCompression('gzip', 'is cut off');
  }

  return { push, finish };
}
