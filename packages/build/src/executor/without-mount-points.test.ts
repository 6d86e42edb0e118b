import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TarWriteEntry } from '@ocijs/image';
import { withoutMountPoints } from './without-mount-points.ts';

test('places for mounts are left out, unless something else is in them', () => {
  const entries = ['a/', 'a/b/', 'a/b/file', 'c/', 'c/d/', 'c/e/', 'c/e/own', 'f', 'g/', 'z'].map(
    (name): TarWriteEntry => ({ header: { name, type: name.endsWith('/') ? 'directory' : 'file', size: 0 } }),
  );
  const points = new Set(['a', 'a/b', 'a/b/file', 'c', 'c/d', 'c/e', 'f']);
  assert.deepEqual(
    [...withoutMountPoints(entries, points)].map(({ header }) => header.name),
    ['c/', 'c/e/', 'c/e/own', 'g/', 'z'],
  );
});
