import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Descriptor } from '../../descriptor.ts';
import type { DigestAlgorithm } from '../../digest/digest.ts';
import { digestBytes } from '../../digest/hasher.ts';
import { openStore } from '../open.ts';
import { scratch } from '../scratch.testkit.ts';

const MiB = 1024 * 1024;

function blobOf(bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Descriptor {
  return {
    mediaType: 'application/octet-stream',
    digest: digestBytes(bytes, algorithm),
    size: bytes.length,
  };
}

/** Cuts bytes as a network does. */
function pieces(bytes: Uint8Array, size = 300_001): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  );
}

// Blobs of this size are hashed by a thread that reads behind the writer.
describe('the ingest of a large blob', () => {
  for (const algorithm of ['sha256', 'sha512', 'blake3'] as const)
    test(`is verified by ${algorithm}`, async () => {
      await using place = await scratch();
      await using store = await openStore(place.directory);
      const bytes = randomBytes(5 * MiB + 17);
      const descriptor = blobOf(bytes, algorithm);
      await using ingest = await store.ingest(descriptor);
      for (const piece of pieces(bytes)) await ingest.write(piece);
      await ingest.commit();
      const read = await store.readAll(descriptor, { limit: bytes.length });
      assert.deepEqual(Buffer.from(read), bytes);
    });

  test('takes several pieces at once, which may be reused afterwards', async () => {
    await using place = await scratch();
    await using store = await openStore(place.directory);
    const bytes = randomBytes(6 * MiB);
    const descriptor = blobOf(bytes);
    await using ingest = await store.ingest(descriptor);
    for (const half of [bytes.subarray(0, 3 * MiB), bytes.subarray(3 * MiB)]) {
      const parts = pieces(half).map((piece) => Buffer.from(piece));
      await ingest.write(parts);
      for (const part of parts) part.fill(0);
    }
    assert.equal(ingest.offset, bytes.length);
    await ingest.commit();
    assert.equal(await store.size(descriptor.digest), bytes.length);
  });

  test('one wrong byte is found, and the right bytes are taken then', async () => {
    await using place = await scratch();
    await using store = await openStore(place.directory);
    const right = randomBytes(5 * MiB);
    const wrong = Buffer.from(right);
    wrong[4 * MiB] = (right[4 * MiB] ?? 0) ^ 1;
    await using ingest = await store.ingest(blobOf(right));
    await ingest.write(pieces(wrong));
    await assert.rejects(ingest.commit(), { code: 'ERR_OCI_DIGEST_MISMATCH' });
    assert.equal(ingest.offset, 0);
    await ingest.write(pieces(right));
    await ingest.commit();
  });

  test('what an earlier run left is hashed too', async () => {
    await using place = await scratch();
    await using store = await openStore(place.directory);
    const bytes = randomBytes(9 * MiB);
    const descriptor = blobOf(bytes);
    {
      await using ingest = await store.ingest(descriptor);
      await ingest.write(bytes.subarray(0, 5 * MiB));
    }
    {
      await using ingest = await store.ingest(descriptor);
      assert.equal(ingest.offset, 5 * MiB);
      await ingest.write(pieces(bytes.subarray(5 * MiB)));
      await ingest.commit();
    }
    const damaged = blobOf(randomBytes(5 * MiB));
    const path = join(place.directory, 'ingest', damaged.digest.replace(':', '-'));
    await writeFile(path, randomBytes(damaged.size));
    await using ingest = await store.ingest(damaged);
    assert.equal(ingest.offset, damaged.size);
    await assert.rejects(ingest.commit(), { code: 'ERR_OCI_DIGEST_MISMATCH' });
  });

  test('many at the same time are each verified', async () => {
    await using place = await scratch();
    await using store = await openStore(place.directory);
    const blobs = Array.from({ length: 6 }, () => randomBytes(4 * MiB));
    await Promise.all(
      blobs.map(async (bytes) => {
        await using ingest = await store.ingest(blobOf(bytes));
        for (const piece of pieces(bytes)) await ingest.write(piece);
        await ingest.commit();
      }),
    );
    for (const bytes of blobs) assert.equal(await store.size(digestBytes(bytes)), bytes.length);
  });

  test('holds no program open once it has ended', async () => {
    await using place = await scratch();
    const program = `
      import { openStore } from ${JSON.stringify(new URL('../open.ts', import.meta.url).href)};
      const bytes = Buffer.alloc(${5 * MiB}, 7);
      const store = await openStore(${JSON.stringify(place.directory)});
      const descriptor = { mediaType: 'a/b', digest: ${JSON.stringify(digestBytes(Buffer.alloc(5 * MiB, 7)))}, size: bytes.length };
      const ingest = await store.ingest(descriptor);
      await ingest.write(bytes);
      await ingest.commit();
      process.stdout.write('committed');
    `;
    const { stdout, status } = spawnSync(
      process.execPath,
      ['--conditions=source', '--input-type=module', '-e', program],
      { encoding: 'utf8', timeout: 60_000 },
    );
    assert.deepEqual({ stdout, status }, { stdout: 'committed', status: 0 });
  });
});
