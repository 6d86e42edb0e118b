import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMountOptions } from './mount-options.ts';

test('attributes are set and cleared, the last word counts', () => {
  assert.deepEqual(parseMountOptions(['ro', 'nosuid', 'nodev', 'noexec']).attributes, { set: 0xf, clear: 0 });
  assert.deepEqual(parseMountOptions(['ro', 'rw']).attributes, { set: 0, clear: 1 });
  assert.deepEqual(parseMountOptions(['rw', 'ro']).attributes, { set: 1, clear: 0 });
});

test('one access time policy replaces another', () => {
  const attributes = (...options: string[]): unknown => parseMountOptions(options).attributes;
  assert.deepEqual(attributes('noatime', 'strictatime'), { set: 0x20, clear: 0xf0 });
  assert.deepEqual(attributes('strictatime', 'relatime'), { set: 0, clear: 0xf0 });
  assert.deepEqual(attributes('nodiratime'), { set: 0x80, clear: 0x70 });
  assert.deepEqual(attributes('nodiratime', 'noatime'), { set: 0x90, clear: 0x70 });
});

test('what takes back an access time policy that nobody set changes nothing', () => {
  for (const option of ['atime', 'norelatime', 'nostrictatime', 'diratime']) {
    const { attributes, hasAttributes } = parseMountOptions([option]);
    assert.deepEqual(attributes, { set: 0, clear: 0 }, option);
    assert.equal(hasAttributes, true, option);
  }
  assert.deepEqual(parseMountOptions(['noatime', 'atime']).attributes, { set: 0, clear: 0 });
  assert.deepEqual(parseMountOptions(['nodiratime', 'diratime']).attributes, { set: 0, clear: 0 });
  assert.equal(parseMountOptions(['bind', 'rslave']).hasAttributes, false);
});

test('recursive attributes are kept apart', () => {
  const { attributes, recursiveAttributes } = parseMountOptions(['rro', 'rnosuid', 'rrelatime', 'nodev']);
  assert.deepEqual(attributes, { set: 4, clear: 0 });
  assert.deepEqual(recursiveAttributes, { set: 3, clear: 0x70 });
});

test('propagation keeps its order', () => {
  assert.deepEqual(parseMountOptions(['rslave', 'shared']).propagation, [
    { propagation: 0x80000, recursive: true },
    { propagation: 0x100000, recursive: false },
  ]);
});

test('what is no mount option goes to the file system', () => {
  const options = parseMountOptions(['mode=755', 'size=64k', 'newinstance', 'defaults', '', 'constructor']);
  assert.deepEqual(options.data, ['mode=755', 'size=64k', 'newinstance', 'constructor']);
  assert.equal(options.bind, false);
});

test('binds, id maps and copies are known', () => {
  assert.equal(parseMountOptions(['bind']).bind, 'one');
  assert.equal(parseMountOptions(['bind', 'rbind']).bind, 'recursive');
  assert.equal(parseMountOptions(['ridmap']).idMap, 'recursive');
  assert.equal(parseMountOptions(['tmpcopyup']).copyUp, true);
});
