import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createReadBuffers, type ReadBuffers } from './read-buffers.ts';

/** Reads as Node does: the buffer is filled, the chunk pushed, and the next buffer asked for. */
function socket({ options }: ReadBuffers) {
  const { buffer: next, callback } = options.onread;
  let current = next();
  return (bytes: number, fill = 0): Uint8Array => {
    const chunks: Uint8Array[] = [];
    const length = Math.min(bytes, current.length);
    current.fill(fill, 0, length);
    callback.call({ push: (chunk) => chunks.push(chunk) > 0 }, length, current);
    current = next();
    const [chunk] = chunks;
    assert.ok(chunk !== undefined);
    return chunk;
  };
}

const size = 128 * 1024;

test('a buffer that was given back is read into again', () => {
  const buffers = createReadBuffers();
  const read = socket(buffers);
  const first = read(size, 1);
  const second = read(size, 2);
  buffers.recycle(first);
  const third = read(size, 3);
  const fourth = read(size, 4);
  assert.equal(fourth.buffer, first.buffer);
  assert.ok(second.every((byte) => byte === 2) && third.every((byte) => byte === 3));
});

test('small reads share a buffer, which waits for all of them', () => {
  const buffers = createReadBuffers();
  const read = socket(buffers);
  const parts = [read(60_000), read(60_000)];
  assert.equal(parts[0]?.buffer, parts[1]?.buffer);
  const [first, second] = parts;
  assert.ok(first !== undefined && second !== undefined);
  buffers.recycle(second);
  assert.notEqual(read(size).buffer, first.buffer);
  assert.notEqual(read(size).buffer, first.buffer);
  buffers.recycle(first);
  read(size);
  assert.equal(read(size).buffer, first.buffer);
});

test('a header before the first chunk does not keep the buffer, a chunk behind it does', () => {
  const buffers = createReadBuffers();
  const read = socket(buffers);
  const all = read(size);
  buffers.recycle(all.subarray(500, 1000));
  assert.notEqual(read(size).buffer, all.buffer);
  assert.notEqual(read(size).buffer, all.buffer);
  buffers.recycle(all.subarray(1000));
  read(size);
  assert.equal(read(size).buffer, all.buffer);
});

test('what is not given back is never touched', () => {
  const buffers = createReadBuffers();
  const read = socket(buffers);
  const kept = read(70_000, 7);
  for (let i = 0; i < 50; i++) buffers.recycle(read(size, i));
  assert.ok(kept.every((byte) => byte === 7));
});

test('memory from elsewhere is of no interest', () => {
  createReadBuffers().recycle(Buffer.alloc(10));
});
