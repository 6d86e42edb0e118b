import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { closeSync, openSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { digestBytes } from '../../digest/hasher.ts';
import { scratch } from '../scratch.testkit.ts';
import { createLaneHashing, type LaneHashing } from './hash-lanes.ts';
import { portableLanes } from './portable-lanes.testkit.ts';

/** Asks for a file piece by piece, and then for its digest. */
async function digestOf(
  hashing: LaneHashing,
  { id, fd, size }: { readonly id: number; readonly fd: number; readonly size: number },
): Promise<string> {
  for (let start = 0; start < size; ) {
    const end = Math.min(size, start + randomInt(1, 300_000));
    await new Promise<void>((resolve, reject) =>
      hashing.read(id, {
        fd,
        start,
        end,
        done: (error) => (error === undefined ? resolve() : reject(error)),
      }),
    );
    start = end;
  }
  return new Promise((resolve) => hashing.digest(id, resolve));
}

describe('files that are hashed together', () => {
  test('have the digests that they have alone, whatever their lengths', async () => {
    await using place = await scratch();
    const hashing = createLaneHashing(portableLanes(3));
    const sizes = [0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 65_535, 65_536, 65_537, 200_000, 500_001];
    const digests = sizes.map(async (size, id) => {
      const bytes = randomBytes(size);
      const path = join(place.directory, `${id}`);
      writeFileSync(path, bytes);
      const fd = openSync(path, 'r');
      try {
        assert.equal(await digestOf(hashing, { id, fd, size }), digestBytes(bytes), `${size} bytes`);
        hashing.forget(id);
        assert.equal(hashing.has(id), false);
      } finally {
        closeSync(fd);
      }
    });
    let ended = false;
    const all = Promise.all(digests).finally(() => {
      ended = true;
    });
    while (!ended) {
      hashing.step();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await all;
    assert.equal(hashing.isBusy, false);
  });

  test('are hashed as far as they go when somebody cut them, and what cannot be read is said', async () => {
    await using place = await scratch();
    const hashing = createLaneHashing(portableLanes(2));
    const bytes = randomBytes(100_000);
    const path = join(place.directory, 'cut');
    writeFileSync(path, bytes);
    truncateSync(path, 70_001);
    const fd = openSync(path, 'r');
    const failures: unknown[] = [];
    const digests: string[] = [];
    hashing.read(1, { fd, start: 0, end: bytes.length, done: (error) => void failures.push(error) });
    hashing.read(2, { fd: 1 << 20, start: 0, end: 10, done: (error) => void failures.push(error) });
    while (hashing.isBusy) hashing.step();
    closeSync(fd);
    hashing.digest(1, (digest) => void digests.push(digest));
    while (hashing.isBusy) hashing.step();
    assert.deepEqual(digests, [digestBytes(bytes.subarray(0, 70_001))]);
    assert.deepEqual(failures.map((error) => (error as NodeJS.ErrnoException | undefined)?.code).sort(), [
      'EBADF',
      undefined,
    ]);
  });
});
