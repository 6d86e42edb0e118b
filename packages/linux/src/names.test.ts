import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameFromBytes, nameToBytes } from './names.ts';

test('valid UTF-8 is the ordinary string, and the replacement character survives', () => {
  for (const name of ['plain', 'é日本', '\u{1F600}', 'a\ufffdb', '']) {
    assert.equal(nameFromBytes(Buffer.from(name)), name);
    assert.deepEqual(nameToBytes(name), Buffer.from(name));
  }
});

test('every sequence of two bytes comes back, and different bytes are different names', () => {
  const seen = new Set<string>();
  for (let value = 0; value < 65_536; value += 1) {
    const bytes = Buffer.from([value >> 8, value & 0xff]);
    const name = nameFromBytes(bytes);
    assert.deepEqual(nameToBytes(name), bytes);
    seen.add(name);
  }
  assert.equal(seen.size, 65_536);
});

test('encoded surrogates, overlong forms and truncated sequences are kept as bytes', () => {
  for (const hex of ['edb280', 'c080', 'e282', 'f09f98', '61ff62', 'efbfbdff', 'f4908080']) {
    const bytes = Buffer.from(hex, 'hex');
    assert.deepEqual(nameToBytes(nameFromBytes(bytes)), bytes, hex);
  }
});
