import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openStore } from '@ocijs/image';
import { digestBytes } from '@ocijs/image/digest';
import { sha256Module } from '@ocijs/linux/sha256';
import { hashBlobsTogether } from './hashing.ts';

const skip = sha256Module() === undefined ? 'this processor hashes one blob after the other as fast' : false;

test('blobs that come together are verified, and wrong ones are refused', { skip }, async () => {
  hashBlobsTogether();
  const directory = await mkdtemp(join(tmpdir(), 'ocijs-hashing-'));
  try {
    await using store = await openStore(directory);
    const results = await Promise.allSettled(
      Array.from({ length: 6 }, async (_, index) => {
        const right = randomBytes(5 * 1024 * 1024 + index);
        const descriptor = { mediaType: 'a/b', digest: digestBytes(right), size: right.length };
        await using ingest = await store.ingest(descriptor);
        const sent = Buffer.from(right);
        // The last byte of the last one, which is in no whole block.
        if (index === 5) sent[sent.length - 1] = (sent[sent.length - 1] ?? 0) ^ 1;
        for (let start = 0; start < sent.length; start += 300_001)
          await ingest.write(sent.subarray(start, start + 300_001));
        await ingest.commit();
      }),
    );
    const codes = results.map((result) => (result.status === 'rejected' ? result.reason.code : 'stored'));
    assert.deepEqual(codes, [...Array(5).fill('stored'), 'ERR_OCI_DIGEST_MISMATCH']);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
