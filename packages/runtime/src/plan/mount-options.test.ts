import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMountOptions } from './mount-options.ts';

test('attributes are set and cleared, the last word counts', () => {
  assert.deepEqual(parseMountOptions(['ro', 'nosuid', 'nodev', 'noexec']).attributes, { set: 0xf, clear: 0 });
  assert.deepEqual(parseMountOptions(['ro', 'rw']).attributes, { set: 0, clear: 1 });
  assert.deepEqual(parseMountOptions(['rw', 'ro']).attributes, { set: 1, clear: 0 });
});

test('one access time policy replaces another', () => {
  assert.deepEqual(parseMountOptions(['noatime', 'strictatime']).attributes, { set: 0x20, clear: 0x70 });
  assert.deepEqual(parseMountOptions(['strictatime', 'relatime']).attributes, { set: 0, clear: 0x70 });
  assert.deepEqual(parseMountOptions(['nodiratime']).attributes, { set: 0x80, clear: 0 });
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
