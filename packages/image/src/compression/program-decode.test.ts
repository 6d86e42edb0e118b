import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { isOciError } from '../errors.ts';
import { chunksOf } from '../tar/testing/streams.ts';
import { decompress } from './decompress.ts';
import { noise } from './testing/streams.ts';

const content = Buffer.concat([noise(300_000), Buffer.alloc(1_000_000, 'text ')]);

async function unpack(chunks: Iterable<Uint8Array>): Promise<Buffer> {
  const source = (async function* () {
    yield* chunks;
  })();
  const parts: Uint8Array[] = [];
  for await (const chunk of decompress(source)) parts.push(chunk);
  return Buffer.concat(parts);
}

for (const program of ['xz', 'bzip2']) {
  const packed = spawnSync(program, ['-c'], { input: content, maxBuffer: 1e8 });
  describe(program, { skip: packed.error ? `needs ${program}` : false }, () => {
    const stream = packed.stdout;

    test('is told by its first bytes and read whole', async () => {
      assert.ok((await unpack(chunksOf(stream, 10_000))).equals(content));
      assert.ok((await unpack([stream.subarray(0, 3), stream.subarray(3)])).equals(content));
    });

    test('damaged and cut off streams', async () => {
      const damaged = Buffer.from(stream);
      damaged[200_000] = (damaged[200_000] ?? 0) ^ 0x55;
      for (const bytes of [damaged, stream.subarray(0, -20)]) {
        await assert.rejects(unpack([bytes]), (error) => isOciError(error, 'ERR_OCI_COMPRESSION_INVALID'));
      }
    });

    test('a reader that stops early, and a source that fails, end the program', async () => {
      const source = (async function* () {
        yield stream;
      })();
      for await (const chunk of decompress(source)) {
        assert.ok(chunk.length > 0);
        break;
      }
      const failing = (async function* () {
        yield stream.subarray(0, 100_000);
        throw new Error('connection reset');
      })();
      await assert.rejects(async () => {
        for await (const chunk of decompress(failing)) assert.ok(chunk);
      }, /connection reset/);
    });
  });
}

test('without the program the error says what to do', async () => {
  const path = process.env['PATH'];
  process.env['PATH'] = '/nonexistent';
  try {
    await assert.rejects(unpack([Buffer.from('fd377a585a0000', 'hex')]), (error) => {
      assert.ok(isOciError(error, 'ERR_OCI_COMPRESSION_UNSUPPORTED'));
      assert.equal(error.facts.actual, 'xz');
      assert.match(String(error.hint), /xz-utils/);
      return true;
    });
  } finally {
    process.env['PATH'] = path;
  }
});
