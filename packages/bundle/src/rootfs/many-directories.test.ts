import assert from 'node:assert/strict';
import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { available } from '@ocijs/linux';
import { knownDirectoriesLimit } from '../limits.ts';
import { applyLayers, defaultTimeNs, directory, file, type TestEntry } from './testing/entries.ts';
import { playground } from './testing/snapshot.ts';

test('directories that were forgotten keep their times, modes, and what the layer put there', {
  skip: available() ? false : 'needs Linux',
}, () => {
  using place = playground();
  const many = (parent: string): TestEntry[] =>
    Array.from({ length: knownDirectoriesLimit }, (_, index) => directory(`${parent}/${index}`));
  const lower = [directory('old'), file('old/stays'), file('old/goes')];
  const upper = [
    directory('new', { mode: 0o500 }),
    directory('new/deep'),
    file('new/deep/first'),
    file('implied/parent/file'),
    directory('old'),
    directory('old/made'),
    file('old/made/first'),
    directory('many'),
    ...many('many'),
    file('new/deep/second'),
    file('new/deep/.wh.first'),
    file('new/.wh.deep'),
    file('implied/parent/later'),
    file('old/made/.wh..wh..opq'),
    file('old/made/second'),
    ...many('many/0'),
    file('old/.wh..wh..opq'),
    file('.wh.new'),
    file('last'),
  ];
  applyLayers(place.directory, [lower, upper]);
  const at = (path: string): string => join(place.directory, path);
  assert.deepEqual(readdirSync(at('new/deep')).sort(), ['first', 'second']);
  assert.deepEqual(readdirSync(at('old/made')).sort(), ['first', 'second']);
  assert.deepEqual(readdirSync(at('implied/parent')).sort(), ['file', 'later']);
  assert.ok(!existsSync(at('old/stays')) && !existsSync(at('old/goes')), 'only the lower layer is hidden');
  for (const path of ['new', 'new/deep', 'old', 'old/made', 'many', 'many/0', 'many/9999']) {
    assert.equal(lstatSync(at(path), { bigint: true }).mtimeNs, defaultTimeNs, path);
  }
  for (const path of ['implied', 'implied/parent']) {
    assert.equal(lstatSync(at(path), { bigint: true }).mtimeNs, 0n, path);
  }
  assert.equal(lstatSync(at('new')).mode & 0o7777, 0o500);
});
