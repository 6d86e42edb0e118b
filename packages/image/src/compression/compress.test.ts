import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gunzipSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { chunksOf, collectBytes, observedStream } from '../tar/testing/streams.ts';
import { type CompressOptions, compress } from './compress.ts';
import { decompress } from './decompress.ts';
import { parallelGzip } from './parallel-gzip.ts';
import { noise } from './testing/streams.ts';

const content = Buffer.concat([noise(100_000), Buffer.alloc(500_000, 'abc')]);

function pack(options: CompressOptions, chunkBytes = 4096): Promise<Buffer> {
  return collectBytes(compress(observedStream(chunksOf(content, chunkBytes)), options));
}

for (const compression of ['gzip', 'zstd', 'none'] as const) {
  describe(compression, () => {
    test('what is compressed expands to what it was', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 2000 }), { maxLength: 5 }), async (chunks) => {
          const packed = compress(observedStream(chunks), { compression });
          const bytes = await collectBytes(decompress(packed, { compression }));
          assert.ok(bytes.equals(Buffer.concat(chunks)));
        }),
        { numRuns: 40 },
      );
    });
    test('equal bytes give equal bytes', async () => {
      assert.ok((await pack({ compression })).equals(await pack({ compression })));
    });
    test('when the reader stops early, the source is closed', async () => {
      const source = observedStream(chunksOf(noise(2_000_000), 10_000));
      for await (const _ of compress(source, { compression })) break;
      assert.ok(source.isClosed);
    });
    test('failures of the source and aborts pass through', async () => {
      const failure = new Error('disk');
      const failing = observedStream([content], { failure });
      await assert.rejects(collectBytes(compress(failing, { compression })), failure);
      const signal = AbortSignal.abort();
      await assert.rejects(pack({ compression, signal }), { name: 'AbortError' });
    });
  });
}

test('gzip is one member, and the same for any number of threads', async () => {
  const large = Buffer.concat([noise(700_001), Buffer.alloc(262_144, 'abc'), noise(300_000)]);
  const packed = await Promise.all(
    [0, 1, 7].map((concurrency) =>
      collectBytes(parallelGzip(observedStream(chunksOf(large, 10_007)), { level: 6, concurrency })),
    ),
  );
  const [one = Buffer.of(), ...others] = packed;
  for (const other of others) assert.ok(other.equals(one));
  assert.ok(gunzipSync(one).equals(large));
  assert.deepEqual(inflateRawSync(one.subarray(10, -8)).length, large.length);
  // What repeats across the edge of a block costs nothing.
  assert.ok(one.length < 1_004_000);
});

test('the gzip header tells neither time nor system', async () => {
  const header = (await pack({ compression: 'gzip' })).subarray(0, 10);
  assert.deepEqual([...header.subarray(0, 8)], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
  assert.equal(header[9], 255);
});

test('zstd frames have a checksum', async () => {
  const descriptor = (await pack({ compression: 'zstd' }))[4] ?? 0;
  assert.equal(descriptor & 4, 4);
});

test('levels differ, and others are refused', async () => {
  for (const [compression, wrong] of [
    ['gzip', 10],
    ['zstd', 20],
  ] as const) {
    const fast = await pack({ compression, level: 1 });
    const small = await pack({ compression, level: 9 });
    assert.ok(!small.equals(fast));
    for (const level of [0, wrong, 1.5, Number.NaN])
      await assert.rejects(pack({ compression, level }), RangeError);
  }
});
