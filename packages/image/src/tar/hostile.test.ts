import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ImageError } from '../errors.ts';
import { checksum } from './checksum.ts';
import { tarEntry } from './testing/arbitraries.ts';
import { collectTar } from './testing/collect.ts';
import { collectBytes } from './testing/streams.ts';
import { writeTar } from './write-tar.ts';

/** Overwrites bytes; within header blocks the checksum is made right again, so that the damage gets past it. */
function mutate(archive: Buffer, changes: readonly (readonly [number, number])[]): Buffer {
  const damaged = Buffer.from(archive);
  for (const [position, value] of changes) {
    const offset = position % damaged.length;
    damaged[offset] = value;
    const start = offset - (offset % 512);
    const block = damaged.subarray(start, start + 512);
    if (block.toString('latin1', 257, 262) === 'ustar') {
      block.write(`${checksum(block).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    }
  }
  return damaged;
}

function onlyImageErrors(error: unknown): void {
  assert.ok(error === undefined || error instanceof ImageError, String(error));
}

test('random bytes are entries or an ImageError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => onlyImageErrors(collectTar(bytes).error)),
    { numRuns: 300 },
  );
});

test('damaged archives are entries or an ImageError, the same for every way of cutting them', async () => {
  const change = fc.tuple(
    fc.nat(20_000),
    fc.oneof(fc.nat(255), fc.constantFrom(0, 0x30, 0x37, 0x78, 0x80, 0xff)),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(tarEntry, { minLength: 1, maxLength: 4 }),
      fc.array(change, { maxLength: 6 }),
      fc.integer({ min: 1, max: 1500 }),
      async (entries, changes, chunkBytes) => {
        const archive = mutate(await collectBytes(writeTar(entries)), changes);
        const whole = collectTar(archive);
        onlyImageErrors(whole.error);
        const cut = collectTar(archive, chunkBytes);
        assert.equal(String(cut.error), String(whole.error));
        assert.deepEqual(cut.entries, whole.entries);
        for (const { header, data } of whole.entries) {
          const length = header.sparse?.reduce((sum, segment) => sum + segment.length, 0) ?? header.size;
          assert.equal(data.length, length);
        }
      },
    ),
    { numRuns: 300 },
  );
});
