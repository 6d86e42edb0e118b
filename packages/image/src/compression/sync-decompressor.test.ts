import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOciError } from '../errors.ts';
import { inflateEngine } from './engines.ts';
import type { ExpansionOptions } from './expansion.ts';
import { createSyncDecompressor } from './sync-decompressor.ts';
import { pack } from './testing/streams.ts';

const { name, reason } = inflateEngine();
const skip = name !== 'zlib-sync' && `zlib-sync does not load: ${reason}`;

function unpack(stream: Uint8Array, options?: ExpansionOptions): Buffer {
  const output: Uint8Array[] = [];
  const decompressor = createSyncDecompressor('gzip', (chunk) => output.push(chunk), options);
  assert.ok(decompressor);
  decompressor.push(stream);
  decompressor.finish();
  return Buffer.concat(output);
}

function isTooMuch(error: unknown): boolean {
  return isOciError(error, 'ERR_OCI_LIMIT_EXCEEDED');
}

test('a bomb is stopped, also in a later member', { skip }, () => {
  const bomb = pack('gzip', Buffer.alloc(70_000_000));
  assert.throws(() => unpack(bomb), isTooMuch);
  assert.throws(() => unpack(bomb, { limit: 1_000_000 }), isTooMuch);
  assert.throws(() => unpack(Buffer.concat([pack('gzip', 'a'), bomb])), isTooMuch);
  assert.equal(unpack(bomb, { maxRatio: 2000 }).length, 70_000_000);
});

test('chunks have at most 256 KiB, and stay as they are', { skip }, () => {
  const output: Uint8Array[] = [];
  const decompressor = createSyncDecompressor('gzip', (chunk) => {
    assert.ok(chunk.length > 0 && chunk.length <= 262_144);
    output.push(chunk);
  });
  const content = Buffer.from('all work and no play '.repeat(100_000));
  decompressor?.push(pack('gzip', content));
  assert.ok(Buffer.concat(output).equals(content), 'all of it is there before push returns');
  decompressor?.finish();
});

test('a thread that inflated many layers gets no more decompressors, for the memory they keep', {
  skip,
}, () => {
  let count = 0;
  while (createSyncDecompressor('gzip', () => undefined) !== undefined) count++;
  assert.ok(count > 10 && count < 40, `${count} more`);
  assert.equal(inflateEngine().name, 'zlib-sync');
});

test('streams that are not compressed pass through', () => {
  const output: Uint8Array[] = [];
  const decompressor = createSyncDecompressor('none', (chunk) => output.push(chunk), { limit: 3 });
  assert.ok(decompressor);
  decompressor.push(Buffer.from('abc'));
  assert.throws(() => decompressor.push(Buffer.from('d')), isTooMuch);
  assert.equal(Buffer.concat(output).toString(), 'abc');
});

test('there is no synchronous engine for zstd', () => {
  assert.equal(
    createSyncDecompressor('zstd', () => undefined),
    undefined,
  );
});
