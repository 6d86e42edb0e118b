import { createExpansionGuard, type ExpansionOptions } from './expansion.ts';
import { invalidCompression } from './failure.ts';
import { headerLength } from './gzip-member.ts';
import type { SyncDecompressor } from './sync-decompressor.ts';
import { requireZeros } from './zero-padding.ts';

/** What one call of an engine did. */
export interface EngineStep {
  /** Bytes of the input that were used; what is behind an ended member, or frame, belongs to something else. */
  readonly used: number;
  /** Bytes at the beginning of the output that were written. */
  readonly made: number;
  /** The member, or frame, is complete, and its checksum is right. */
  readonly ended: boolean;
}

/** An engine that inflates one gzip member after the other, without their headers, such as `createIsalInflater` of `@ocijs/linux`. */
export interface GzipEngine {
  /** Works until the input is used up, the output is full or the member ends. Throws an Error for a damaged member. */
  inflate(input: Uint8Array, output: Uint8Array): EngineStep;
  /** Prepares for the next member. */
  reset(): void;
}

/** Memory that decompressed bytes are put into. */
export interface OutputMemory {
  /** Room for more, never empty. */
  room(): Uint8Array;
  /** So many bytes at the beginning of that room were written. */
  filled(bytes: number): void;
}

/** The longest header of a member, in bytes; names are shorter than that. */
const headerLimit = 64 * 1024;
const nothing = Buffer.alloc(0);

/**
 * Inflates a gzip stream synchronously into memory of the caller, with the rules of `decodeGzip`: all members, zeros
 * behind the last one. Each call of `filled` is for at most what `room` gave.
 */
export function createEngineGunzip(
  engine: GzipEngine,
  { memory, ...expansion }: ExpansionOptions & { readonly memory: OutputMemory },
): SyncDecompressor {
  const guard = createExpansionGuard(expansion);
  let header: Buffer = nothing;
  let state: 'header' | 'member' | 'padding' = 'header';
  let members = 0;

  function push(chunk: Uint8Array): void {
    guard.consumed(chunk.length);
    let rest: Uint8Array = chunk;
    while (rest.length > 0) {
      if (state === 'padding') {
        requireZeros(rest, 'gzip');
        return;
      }
      rest = state === 'header' ? readHeader(rest) : inflate(rest);
    }
  }

  /** Returns what is behind the header, or nothing when the header goes on. */
  function readHeader(bytes: Uint8Array): Uint8Array {
    if (header.length === 0 && members > 0 && bytes[0] === 0) {
      state = 'padding';
      return bytes;
    }
    const before = header.length;
    header = Buffer.concat([header, bytes.subarray(0, headerLimit - before)]);
    const length = headerLength(header);
    if (length === undefined) {
      if (header.length === headerLimit) throw invalidCompression('gzip', 'has too long a header');
      return nothing;
    }
    if (members > 0) engine.reset();
    state = 'member';
    header = nothing;
    return bytes.subarray(length - before);
  }

  /** Returns what is left of the input: nothing, unless the member ended. */
  function inflate(input: Uint8Array): Uint8Array {
    for (let rest = input; ; ) {
      const room = memory.room();
      const { used, made, ended } = step(rest, room);
      guard.produced(made);
      if (made > 0) memory.filled(made);
      rest = rest.subarray(used);
      if (ended) {
        members += 1;
        state = 'header';
        return rest;
      }
      if (made < room.length) {
        if (rest.length > 0) throw invalidCompression('gzip', 'is damaged');
        return rest;
      }
    }
  }

  function step(input: Uint8Array, room: Uint8Array): EngineStep {
    try {
      return engine.inflate(input, room);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw invalidCompression('gzip', `is damaged: ${reason}`, { cause: error });
    }
  }

  function finish(): void {
    if (members === 0 && state === 'header' && header.length === 0)
      throw invalidCompression('gzip', 'is empty');
    if (state === 'member' || header.length > 0) throw invalidCompression('gzip', 'is cut off');
  }

  return { push, finish };
}
