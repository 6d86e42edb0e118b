import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOciError } from '@ocijs/image';
import { mapId, parseIdMapping } from './id-map.ts';

test('ids are mapped by the range that holds them', () => {
  const mappings = [parseIdMapping('0:1000'), parseIdMapping('1:100000:65535')];
  const map = (id: number) => mapId(id, { mappings, kind: 'user' });
  assert.deepEqual([map(0), map(1), map(65_535)], [1_000, 100_000, 165_534]);
  assert.throws(
    () => map(65_536),
    (error) => isOciError(error, 'ERR_OCI_LAYER_INVALID'),
  );
  assert.equal(mapId(7, { mappings: [], kind: 'group' }), 7);
});

test('mappings that are no ranges of 32-bit ids are refused', () => {
  for (const text of [
    '',
    '1',
    '0:',
    '0:-1',
    '0:1:0',
    '0:0:4294967296',
    '4294967295:0:1',
    '0:1:1:1',
    '0x1:1',
    '1e3:1',
  ]) {
    assert.throws(
      () => parseIdMapping(text),
      (error) => isOciError(error, 'ERR_OCI_BUNDLE_INVALID'),
      text,
    );
  }
});
