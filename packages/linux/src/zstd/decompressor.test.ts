import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { createZstdDecompressor, zstdReason } from './decompressor.ts';

const skip = zstdReason() ?? false;

interface Outcome {
  readonly content: Buffer;
  readonly used: number;
  readonly ended: boolean;
}

/** Decompresses one frame, `inputSize` bytes at a time into memory of `outputSize` bytes, shared between threads. */
function decompress(frame: Uint8Array, { inputSize = frame.length, outputSize = 65_536 } = {}): Outcome {
  const engine = createZstdDecompressor();
  assert.ok(engine);
  const room = new Uint8Array(new SharedArrayBuffer(outputSize));
  const parts: Buffer[] = [];
  let used = 0;
  for (;;) {
    const step = engine.decompress(frame.subarray(used, used + inputSize), room);
    used += step.used;
    parts.push(Buffer.from(room.subarray(0, step.made)));
    const stuck = used === frame.length && step.made < room.length;
    if (step.ended || stuck) return { content: Buffer.concat(parts), used, ended: step.ended };
  }
}

const sample = Buffer.concat([randomBytes(3_000), Buffer.from('some text, again and again '.repeat(900))]);
const levels = [1, 3, 12, 19].map((level) => ({ [constants.ZSTD_c_compressionLevel]: level }));

test('frames of every level, with and without a checksum, cut anywhere', { skip }, () => {
  for (const level of levels) {
    for (const checksum of [0, 1]) {
      const params = { ...level, [constants.ZSTD_c_checksumFlag]: checksum };
      const frame = zstdCompressSync(sample, { params });
      for (const inputSize of [1, 13, 4_096, frame.length]) {
        const { content, used, ended } = decompress(Buffer.concat([frame, Buffer.from('behind')]), {
          inputSize,
          outputSize: inputSize * 7,
        });
        assert.ok(ended && content.equals(sample));
        assert.equal(used, frame.length);
      }
    }
  }
});

test('random contents, one frame after the other in one engine', { skip }, () => {
  const engine = createZstdDecompressor();
  assert.ok(engine);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), fc.integer({ min: 1, max: 500 }), (bytes, size) => {
      const frame = zstdCompressSync(bytes);
      const room = Buffer.alloc(size);
      const parts: Buffer[] = [];
      for (let [used, ended] = [0, false]; !ended; ) {
        const step = engine.decompress(frame.subarray(used, used + size), room);
        parts.push(Buffer.from(room.subarray(0, step.made)));
        used += step.used;
        ended = step.ended;
      }
      assert.ok(Buffer.concat(parts).equals(bytes));
    }),
    { numRuns: 200 },
  );
});

test('matches as far back as the window across calls', { skip }, () => {
  const block = randomBytes(1_000_000);
  const content = Buffer.concat([block, block, block]);
  const params = { [constants.ZSTD_c_windowLog]: 21 };
  const frame = zstdCompressSync(content, { params });
  assert.ok(frame.length < 2 * block.length);
  for (const outputSize of [1_000, 262_144, 5_000_000]) {
    assert.ok(decompress(frame, { inputSize: 10_000, outputSize }).content.equals(content), `${outputSize}`);
  }
});

test('damage is noticed as by node:zlib', { skip }, () => {
  const frame = zstdCompressSync(sample, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
  fc.assert(
    fc.property(fc.nat(frame.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
      const damaged = Buffer.from(frame);
      damaged[at] = (damaged[at] ?? 0) ^ mask;
      let theirs = false;
      try {
        theirs = zstdDecompressSync(damaged).equals(sample);
      } catch {
        theirs = false;
      }
      let ours = false;
      try {
        const { content, ended } = decompress(damaged);
        ours = ended && content.equals(sample);
      } catch {
        ours = false;
      }
      assert.equal(ours, theirs);
    }),
    { numRuns: 300 },
  );
});

test('a window of more than 128 MiB is refused, one of 128 MiB is not', { skip }, () => {
  // A frame header with this window, and an empty raw block that is the last one (RFC 8878, 3.1.1).
  const frame = (windowLog: number): Buffer =>
    Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, (windowLog - 10) << 3, 1, 0, 0]);
  assert.ok(decompress(frame(27)).ended);
  assert.throws(() => decompress(frame(28)), { code: 'ZSTD_error_frameParameter_windowTooLarge' });
});
