import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { digestBytes } from '../../digest/hasher.ts';
import { scratch } from '../scratch.testkit.ts';
import { type FileDigest, threadedDigest } from './file-digest.ts';
import { accelerateHashing } from './hash-module.ts';

test('a module that hashes several blobs at once gives the digests that OpenSSL gives', async () => {
  let asked = 0;
  accelerateHashing(() => {
    asked++;
    return new URL('./portable-lanes.testkit.ts', import.meta.url);
  });
  await using place = await scratch();
  const blobs = Array.from({ length: 5 }, (_, index) => randomBytes(100_000 + index));
  // The last one by another algorithm, which the module does not know.
  const files = blobs.map((bytes, index) => {
    const algorithm = index === 4 ? ('sha512' as const) : ('sha256' as const);
    const fd = openSync(join(place.directory, `${index}`), 'w+');
    return { bytes, algorithm, fd, digest: threadedDigest({ algorithm, fd }) };
  });
  try {
    const append = (piece: number): void => {
      for (const { bytes, fd, digest } of files) {
        const chunk = bytes.subarray(piece * 30_000, (piece + 1) * 30_000);
        writeSync(fd, chunk, 0, chunk.length, piece * 30_000);
        digest.appended([chunk], piece * 30_000 + chunk.length);
      }
    };
    for (let piece = 0; piece < 4; piece++) append(piece);
    const finished = await Promise.all(files.map(({ digest }: { digest: FileDigest }) => digest.finish()));
    const expected = files.map(({ bytes, algorithm }) => digestBytes(bytes, algorithm));
    assert.deepEqual(finished, expected);
    assert.equal(asked, 1, 'one thread hashes them all');
  } finally {
    for (const { fd, digest } of files) {
      await digest[Symbol.asyncDispose]();
      closeSync(fd);
    }
  }
});

test('a module that cannot be loaded is an error, and no wrong digest', async () => {
  // What is left of the threads above ends by itself.
  await new Promise((resolve) => setTimeout(resolve, 700));
  accelerateHashing(() => new URL('./no-such-module.ts', import.meta.url));
  await using place = await scratch();
  const fd = openSync(join(place.directory, 'file'), 'w+');
  const digest = threadedDigest({ algorithm: 'sha256', fd });
  try {
    digest.appended([], 10);
    await assert.rejects(digest.finish(), /no-such-module/);
  } finally {
    await digest[Symbol.asyncDispose]();
    closeSync(fd);
  }
});
