import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { isOciError } from '../errors.ts';
import { chunksOf } from '../tar/testing/streams.ts';
import { pack, skippableFrame } from './testing/streams.ts';
import { createEngineUnzstd, type ZstdEngine } from './zstd-engine.ts';

/** An engine by the definition: keeps its input until a frame is complete, which its end does not say. */
function simpleEngine(): ZstdEngine {
  let input: Buffer = Buffer.of();
  let output: Buffer | undefined;
  return {
    decompress(bytes, room) {
      let used = 0;
      while (output === undefined && used < bytes.length) {
        input = Buffer.concat([input, bytes.subarray(used, ++used)]);
        output = whole(input);
      }
      if (output === undefined) return { used, made: 0, ended: false };
      const made = output.copy(room);
      output = output.subarray(made);
      const ended = output.length === 0;
      if (ended) [input, output] = [Buffer.of(), undefined];
      return { used, made, ended };
    },
  };
}

function whole(frame: Buffer): Buffer | undefined {
  try {
    return zstdDecompressSync(frame);
  } catch {
    return undefined;
  }
}

function unpack(chunks: Iterable<Uint8Array>, roomBytes = 1000): { content: Buffer; pieces: number } {
  const output: Buffer[] = [];
  const memory = Buffer.alloc(roomBytes);
  const unzstd = createEngineUnzstd(simpleEngine(), {
    memory: {
      room: () => memory,
      filled: (bytes) => void output.push(Buffer.from(memory.subarray(0, bytes))),
    },
  });
  for (const chunk of chunks) unzstd.push(chunk);
  unzstd.finish();
  return { content: Buffer.concat(output), pieces: output.length };
}

const isInvalid = (error: unknown): boolean => isOciError(error, 'ERR_OCI_COMPRESSION_INVALID');

describe('zstd through an engine', () => {
  test('any number of frames, with others to skip, padded or not, in chunks and rooms of any size', () => {
    const lists = fc.array(fc.uint8Array({ maxLength: 100 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(lists, fc.nat(20), fc.integer({ min: 1, max: 90 }), (contents, zeros, size) => {
        const frames = contents.flatMap((part) => [skippableFrame(part), pack('zstd', part)]);
        const stream = Buffer.concat([...frames, Buffer.alloc(zeros)]);
        assert.deepEqual(unpack(chunksOf(stream, size), size).content, Buffer.concat(contents));
      }),
      { numRuns: 50 },
    );
  });

  test('small frames come together', () => {
    const stream = Buffer.concat(Array.from({ length: 50 }, (_, index) => pack('zstd', `frame ${index};`)));
    const { content, pieces } = unpack([stream], 100_000);
    assert.equal(pieces, 1);
    assert.match(content.toString(), /^frame 0;.*frame 49;$/);
  });

  test('what is cut off anywhere, followed by anything, or no zstd at all', () => {
    const first = pack('zstd', 'first');
    const stream = Buffer.concat([first, pack('zstd', 'second')]);
    for (let length = 0; length < stream.length; length++) {
      if (length === first.length) continue;
      assert.throws(() => unpack([stream.subarray(0, length)]), isInvalid, `${length} bytes`);
    }
    assert.throws(() => unpack([stream, Buffer.from('anything')]), isInvalid);
    assert.throws(() => unpack([stream, Buffer.from([0, 0, 1])]), isInvalid);
    assert.throws(() => unpack([Buffer.alloc(20)]), isInvalid);
  });

  test('an engine that does not come to an end, or fails', () => {
    const frame = pack('zstd', 'content');
    const memory = { room: () => Buffer.alloc(100), filled: () => undefined };
    const run = (engine: ZstdEngine): void => createEngineUnzstd(engine, { memory }).push(frame);
    const swallow = (input: Uint8Array) => ({ used: input.length, made: 0, ended: false });
    assert.throws(() => run({ decompress: swallow }), isInvalid);
    assert.throws(() => run({ decompress: () => ({ used: 0, made: 0, ended: false }) }), isInvalid);
    const failing = (code?: string) => ({
      decompress: () => {
        throw Object.assign(new Error('no'), code === undefined ? {} : { code });
      },
    });
    assert.throws(() => run(failing()), isInvalid);
    assert.throws(
      () => run(failing('ZSTD_error_frameParameter_windowTooLarge')),
      (error) => isOciError(error, 'ERR_OCI_LIMIT_EXCEEDED'),
    );
  });

  test('a frame that contains less than it says', () => {
    // 158 bytes in a single segment, and an empty last block: libraries notice when they see the whole frame.
    const frame = Buffer.from('28b52ffd209e010000', 'hex');
    const engine: ZstdEngine = {
      decompress: (input) => ({ used: input.length, made: 0, ended: true }),
    };
    const memory = { room: () => Buffer.alloc(100), filled: () => undefined };
    assert.throws(() => createEngineUnzstd(engine, { memory }).push(frame), isInvalid);
  });

  test('a bomb is stopped', () => {
    const bomb = pack('zstd', Buffer.alloc(70_000_000));
    let state: Buffer | undefined;
    const engine: ZstdEngine = {
      decompress(input, room) {
        state ??= zstdDecompressSync(bomb);
        const made = state.copy(room);
        state = state.subarray(made);
        return { used: input.length, made, ended: state.length === 0 };
      },
    };
    const room = Buffer.alloc(1_000_000);
    const unzstd = createEngineUnzstd(engine, { memory: { room: () => room, filled: () => undefined } });
    assert.throws(
      () => unzstd.push(bomb),
      (error) => isOciError(error, 'ERR_OCI_LIMIT_EXCEEDED'),
    );
  });
});
