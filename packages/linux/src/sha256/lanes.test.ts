import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { createSha256Lanes, type Sha256Lanes } from './lanes.ts';
import { sha256Module } from './module.ts';

const lanes = createSha256Lanes();
const skip =
  lanes === undefined
    ? 'this processor hashes one message after the other as fast, or there is no compiler'
    : false;

/** The digest of a message whose length is a multiple of 64: its padding is one more block. */
function finish(own: Sha256Lanes, lane: number, length: number): string {
  const data = own.data[lane] ?? assert.fail();
  data.fill(0, 0, 64);
  data[0] = 0x80;
  Buffer.from(data.buffer, data.byteOffset, 64).writeBigUInt64BE(BigInt(length) * 8n, 56);
  own.compress([lane], 1);
  const digest = Buffer.alloc(32);
  for (const [index, word] of own.states[lane]?.entries() ?? []) digest.writeUInt32BE(word, index * 4);
  return digest.toString('hex');
}

test('digests of random messages are those of OpenSSL, whatever the others are', { skip }, () => {
  assert.ok(lanes !== undefined);
  const messages = Array.from({ length: lanes.count }, (_, lane) => randomBytes(64 * (lane * 37 + 1)));
  const hashed = messages.map(() => 0);
  for (const state of lanes.states) state.set(lanes.initialState);
  for (;;) {
    const left = messages.map((message, lane) => (message.length - (hashed[lane] ?? 0)) / 64);
    const active = left.flatMap((blocks, lane) => (blocks > 0 ? [lane] : []));
    if (active.length === 0) break;
    const blocks = Math.min(...active.map((lane) => left[lane] ?? 0), 11);
    for (const lane of active) {
      const from = hashed[lane] ?? 0;
      lanes.data[lane]?.set(messages[lane]?.subarray(from, from + blocks * 64) ?? []);
      hashed[lane] = from + blocks * 64;
    }
    lanes.compress(active, blocks);
  }
  messages.forEach((message, lane) => {
    assert.equal(finish(lanes, lane, message.length), createHash('sha256').update(message).digest('hex'));
  });
});

test('more blocks than there is room for are refused', { skip }, () => {
  assert.throws(() => lanes?.compress([0], 1025), RangeError);
  assert.throws(() => lanes?.compress([0], -1), RangeError);
});

test('the module is named where it is of use, and nowhere else', async () => {
  const module = sha256Module();
  assert.equal(module !== undefined, lanes !== undefined);
  if (module === undefined) return;
  const { createSha256Lanes: create } = (await import(module.href)) as typeof import('./lanes.ts');
  assert.equal(create()?.count, lanes?.count);
});
