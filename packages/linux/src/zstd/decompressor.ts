import { zstdCompressSync } from 'node:zlib';
import { type ZstdFunctions, zstdFunctions } from './library.ts';

/** The largest window of a frame, in bytes: what `zstd -d` allows. */
const windowLimit: number = 128 * 1024 * 1024;

/** The code of zstd for a frame that asks for a larger one. */
const windowTooLarge = -16;

/** What one call did. */
export interface ZstdStep {
  /** Bytes of the input that were used. */
  readonly used: number;
  /** Bytes that were written to the beginning of the output. */
  readonly made: number;
  /** The frame is complete, all of it was given out, and its checksum, if it has one, is right. */
  readonly ended: boolean;
}

/** Decompresses zstd frames (RFC 8878), one after the other, into memory of the caller. */
export interface ZstdDecompressor {
  /**
   * Decompresses until the input is used up, the output is full, or the frame ends. When the output got full there may be
   * more for the same input: call again, also with an empty input. Throws an Error for a damaged frame, with the code
   * `ZSTD_error_frameParameter_windowTooLarge`, as node:zlib names it, for a window above 128 MiB. Of no use after that.
   */
  decompress(input: Uint8Array, output: Uint8Array): ZstdStep;
}

/**
 * Creates a decompressor over Node's own zstd that works without a thread, a stream and a copy of its own, in a third of the
 * time of node:zlib; undefined where Node does not show the library, or it is not what this code was written for. It reserves
 * 128 MiB of address space, and uses as much of it as the windows of the frames are large.
 */
export function createZstdDecompressor(): ZstdDecompressor | undefined {
  const library = zstdFunctions();
  return library !== undefined && zstdWorks(library) ? decompressor(library) : undefined;
}

/** Why {@link createZstdDecompressor} gives none. */
export function zstdReason(): string | undefined {
  const library = zstdFunctions();
  if (library === undefined) return 'this Node does not show its zstd';
  return zstdWorks(library) ? undefined : 'zstd decompresses a known frame wrongly';
}

function decompressor(library: ZstdFunctions): ZstdDecompressor | undefined {
  const decoder = reserve(library.stateSize(windowLimit));
  if (decoder === undefined) return undefined;
  if (library.init(decoder, decoder.length) !== library.addressOf(decoder)) return undefined;
  const [input, output] = [buffer(), buffer()];
  return {
    decompress(bytes, room) {
      input.give(bytes, library);
      output.give(room, library);
      const result = library.run(decoder, output.fields, input.fields);
      if (result < 0) throw failure(library, result);
      return { used: input.position(), made: output.position(), ended: result === 0 };
    },
  };
}

/** Zeros, which the library expects though it does not say so; they take no place. The system may refuse to reserve it all the same. */
function reserve(bytes: number): Buffer | undefined {
  try {
    return Buffer.alloc(bytes);
  } catch {
    return undefined;
  }
}

interface CallBuffer {
  readonly fields: Buffer;
  give(bytes: Uint8Array, library: ZstdFunctions): void;
  position(): number;
}

/** `ZSTD_inBuffer` and `ZSTD_outBuffer`: an address, a size and a position, of eight bytes each on 64-bit machines. */
function buffer(): CallBuffer {
  const fields = Buffer.alloc(24);
  return {
    fields,
    give(bytes, { addressOf }) {
      fields.writeBigUInt64LE(bytes.length === 0 ? 0n : BigInt(addressOf(bytes)), 0);
      fields.writeBigUInt64LE(BigInt(bytes.length), 8);
      fields.writeBigUInt64LE(0n, 16);
    },
    position: () => Number(fields.readBigUInt64LE(16)),
  };
}

function failure(library: ZstdFunctions, result: number): Error {
  const error = new Error(library.describe(result));
  return result === windowTooLarge
    ? Object.assign(error, { code: 'ZSTD_error_frameParameter_windowTooLarge' })
    : error;
}

let works: boolean | undefined;

/** Two of the functions are not promised to stay, so that they have to prove themselves on known frames, cut anywhere. */
function zstdWorks(library: ZstdFunctions): boolean {
  works ??= provesItself(library);
  return works;
}

function provesItself(library: ZstdFunctions): boolean {
  const content = Buffer.from(Array.from({ length: 9_999 }, (_, index) => index % 577).join(''));
  const frame = zstdCompressSync(content);
  const output = Buffer.alloc(content.length + 100);
  try {
    const engine = decompressor(library);
    if (engine === undefined) return false;
    // A whole frame goes through other functions than its parts.
    const whole = engine.decompress(frame, output);
    if (!whole.ended || !output.subarray(0, whole.made).equals(content)) return false;
    output.fill(0);
    let [used, made] = [0, 0];
    for (let ended = false; !ended; ) {
      const step = engine.decompress(frame.subarray(used, used + 61), output.subarray(made, made + 97));
      used += step.used;
      made += step.made;
      ended = step.ended;
      if (!ended && step.used + step.made === 0) return false;
    }
    return used === frame.length && output.subarray(0, made).equals(content);
  } catch {
    return false;
  }
}
