import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { constants, gunzipSync, gzipSync, type ZlibOptions } from 'node:zlib';
import fc from 'fast-check';
import { createIsalInflater, isalReason } from './inflater.ts';

const skip = isalReason() ?? false;

/** A member without its header. */
function member(content: Uint8Array | string, options: ZlibOptions = {}): Buffer {
  return gzipSync(content, options).subarray(10);
}

interface Outcome {
  readonly content: Buffer;
  readonly used: number;
  readonly ended: boolean;
}

/** Inflates one member, `inputSize` bytes at a time into memory of `outputSize` bytes, shared between threads. */
function inflate(stream: Uint8Array, { inputSize = stream.length, outputSize = 65_536 } = {}): Outcome {
  const inflater = createIsalInflater();
  assert.ok(inflater);
  const room = new Uint8Array(new SharedArrayBuffer(outputSize));
  const parts: Buffer[] = [];
  let used = 0;
  for (;;) {
    const piece = stream.subarray(used, used + inputSize);
    const step = inflater.inflate(piece, room);
    used += step.used;
    parts.push(Buffer.from(room.subarray(0, step.made)));
    const stuck = used === stream.length && step.made < room.length;
    if (step.ended || stuck) return { content: Buffer.concat(parts), used, ended: step.ended };
  }
}

const sample = Buffer.concat([randomBytes(3_000), Buffer.from('some text, again and again '.repeat(900))]);

test('members of every level and strategy, cut anywhere', { skip }, () => {
  for (const strategy of [
    constants.Z_DEFAULT_STRATEGY,
    constants.Z_HUFFMAN_ONLY,
    constants.Z_FIXED,
    constants.Z_RLE,
  ]) {
    for (const level of [0, 1, 6, 9]) {
      const stream = member(sample, { level, strategy });
      for (const inputSize of [1, 13, 4_096, stream.length]) {
        const { content, used, ended } = inflate(Buffer.concat([stream, Buffer.from('behind')]), {
          inputSize,
          outputSize: inputSize * 7,
        });
        assert.ok(ended && content.equals(sample));
        assert.equal(used, stream.length);
      }
    }
  }
});

test('random contents', { skip }, () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), fc.integer({ min: 1, max: 500 }), (bytes, size) => {
      const { content, ended } = inflate(member(bytes), { inputSize: size, outputSize: size });
      assert.ok(ended && content.equals(bytes));
    }),
    { numRuns: 200 },
  );
});

test('matches as far back as 32 KiB across calls', { skip }, () => {
  const block = randomBytes(32_768);
  const content = Buffer.concat([block, block, block, block]);
  const stream = member(content, { level: 9 });
  for (const outputSize of [100, 32_767, 32_768, 40_000, 262_144]) {
    assert.ok(inflate(stream, { outputSize }).content.equals(content), `${outputSize}`);
  }
});

test('damage is noticed as by zlib', { skip }, () => {
  const stream = member(sample);
  const header = gzipSync('').subarray(0, 10);
  fc.assert(
    fc.property(fc.nat(stream.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
      const damaged = Buffer.from(stream);
      damaged[at] = (damaged[at] ?? 0) ^ mask;
      let theirs: Buffer | undefined;
      try {
        theirs = gunzipSync(Buffer.concat([header, damaged]));
      } catch {
        theirs = undefined;
      }
      let ours: Buffer | undefined;
      try {
        const outcome = inflate(damaged);
        ours = outcome.ended ? outcome.content : undefined;
      } catch {
        ours = undefined;
      }
      assert.equal(ours?.equals(sample), theirs?.equals(sample));
    }),
    { numRuns: 300 },
  );
});

test('another member after a reset', { skip }, () => {
  const inflater = createIsalInflater();
  assert.ok(inflater);
  const room = Buffer.alloc(100);
  for (const text of ['first', '', 'third']) {
    const { made, ended } = inflater.inflate(member(text), room);
    assert.ok(ended);
    assert.equal(room.toString('utf8', 0, made), text);
    inflater.reset();
  }
});
