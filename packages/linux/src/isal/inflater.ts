import { gzipSync } from 'node:zlib';
import { isalFunctions } from './library.ts';
import { field, guardByte, guardBytes, readFields, states, structSize, writeFields } from './state.ts';

/** The header that zlib writes. */
const headerBytes = 10;

/** What one call did. */
export interface InflateStep {
  /** Bytes of the input that were used. When the member ended, what is behind them belongs to something else. */
  readonly used: number;
  /** Bytes that were written to the beginning of the output. */
  readonly made: number;
  /** The member is complete, and its checksum and length are right. */
  readonly ended: boolean;
}

/** Inflates gzip members (RFC 1952) without their headers, one after the other, into memory of the caller. */
export interface GzipInflater {
  /**
   * Inflates until the input is used up, the output is full, or the member ends. When the output got full there may
   * be more for the same input: call again, also with an empty input. Throws an Error for a damaged member.
   */
  inflate(input: Uint8Array, output: Uint8Array): InflateStep;
  /** Prepares for the next member. */
  reset(): void;
}

const messages: Readonly<Record<number, string>> = {
  [-1]: 'invalid block',
  [-2]: 'invalid symbol',
  [-3]: 'invalid distance',
  [-6]: 'incorrect checksum',
};

/**
 * Creates an inflater over Intel's ISA-L, which takes about half of the time that zlib does; undefined where the library
 * (`libisal2` of Debian) is missing or is not what this code was written for. Its state is 86 KiB.
 */
export function createIsalInflater(): GzipInflater | undefined {
  return isalWorks() ? inflater() : undefined;
}

/** Why {@link createIsalInflater} gives none. */
export function isalReason(): string | undefined {
  if (isalFunctions() === undefined) return 'libisal.so.2 cannot be loaded';
  return isalWorks() ? undefined : 'libisal.so.2 inflates a known stream wrongly';
}

function inflater(): GzipInflater & { isIntact(): boolean } {
  const library = isalFunctions();
  if (library === undefined) throw new Error('libisal.so.2 cannot be loaded');
  const { init, run, addressOf } = library;
  const state = Buffer.allocUnsafeSlow(structSize + guardBytes).fill(guardByte);

  function reset(): void {
    init(state);
    state.writeUInt32LE(states.gzipTrailer, field.crcFlag);
  }

  function inflate(input: Uint8Array, output: Uint8Array): InflateStep {
    writeFields(state, {
      input: input.length === 0 ? 0 : addressOf(input),
      inputBytes: input.length,
      output: addressOf(output),
      outputBytes: output.length,
    });
    const result = run(state);
    if (result !== 0) throw new Error(messages[result] ?? `ISA-L says ${result}`);
    const { inputLeft, outputLeft, blockState } = readFields(state);
    return {
      used: input.length - inputLeft,
      made: output.length - outputLeft,
      ended: blockState === states.finished,
    };
  }

  reset();
  return { inflate, reset, isIntact: () => state.subarray(structSize).every((byte) => byte === guardByte) };
}

let works: boolean | undefined;

/**
 * The fields of the library's state are read at fixed places, so it has to prove itself on a known stream: in pieces of
 * input and output, with the right end, and without writing behind the size that its state is known to have.
 */
function isalWorks(): boolean {
  works ??= isalFunctions() !== undefined && provesItself();
  return works;
}

function provesItself(): boolean {
  const content = Buffer.from(Array.from({ length: 9_999 }, (_, index) => index % 577).join(''));
  const member = gzipSync(content).subarray(headerBytes);
  const input = Buffer.concat([member, Buffer.from('behind')]);
  const output = Buffer.alloc(content.length + 100);
  try {
    const engine = inflater();
    let used = 0;
    let made = 0;
    for (let calls = 0; calls < content.length; calls++) {
      const step = engine.inflate(input.subarray(used, used + 61), output.subarray(made, made + 97));
      used += step.used;
      made += step.made;
      if (step.ended) {
        return used === member.length && output.subarray(0, made).equals(content) && engine.isIntact();
      }
    }
    return false;
  } catch {
    return false;
  }
}
