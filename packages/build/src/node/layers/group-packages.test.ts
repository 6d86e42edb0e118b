import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TreeFile } from '@ocijs/bundle';
import { parseManifest } from '../project/package-manifest.ts';
import { groupPackages, type PackageFiles } from './group-packages.ts';

const MiB = 1024 * 1024;

function packageOf(name: string, size: number, { isOfPlatform = false } = {}): PackageFiles {
  const file = { path: name, status: { size, mode: 0o100644 } } as TreeFile;
  return {
    installed: { directory: `node_modules/${name}`, manifest: parseManifest({ name }), origin: 'registry' },
    files: [{ kind: 'file', path: name, file, isExecutable: false }],
    isOfPlatform,
  };
}

const namesOf = (packages: readonly PackageFiles[]): readonly string[] =>
  groupPackages(packages).map(
    ({ kind, packages: group }) =>
      `${kind}: ${group.map(({ installed }) => installed.manifest.name).join(' ')}`,
  );

const many = Array.from({ length: 100 }, (_, index) => packageOf(`p${index}`, MiB));

test('little is one layer, and what is of a platform another', () => {
  assert.deepEqual(namesOf([]), []);
  assert.deepEqual(
    namesOf([packageOf('b', 1), packageOf('c', 1, { isOfPlatform: true }), packageOf('a', 1)]),
    ['platform: c', 'shared: a b'],
  );
});

test('what is large is apart, ten packages at most; versions of one package stay together', () => {
  const large = Array.from({ length: 12 }, (_, index) => packageOf(`large-${index}`, (30 - index) * MiB));
  const groups = namesOf([
    ...large,
    packageOf('small', 1),
    packageOf('twice', 6 * MiB),
    packageOf('twice', 6 * MiB),
  ]);
  assert.equal(groups.filter((group) => group.startsWith('large')).length, 10);
  assert.ok(groups.includes('large: large-0'));
  assert.ok(!groups.includes('large: large-11'));
  assert.equal(groups.filter((group) => group.includes('twice twice')).length, 1);
});

test('much is divided, into eight layers at most', () => {
  const groups = groupPackages(many);
  assert.equal(groups.length, 8);
  assert.equal(groups.flatMap(({ packages }) => packages).length, 100);
});

test('a package that is added, removed or updated changes one layer', () => {
  const before = namesOf(many);
  const added = namesOf([...many, packageOf('another', MiB)]);
  assert.equal(added.filter((group) => !before.includes(group)).length, 1);
  const removed = namesOf(many.slice(1));
  assert.equal(removed.filter((group) => !before.includes(group)).length, 1);
  const updated = namesOf(many.with(7, packageOf('p7', 2 * MiB)));
  assert.deepEqual(updated, before);
});

test('a layer that grows too large is halved, and the others stay', () => {
  const some = many.slice(0, 30);
  const before = namesOf(some);
  assert.ok(before.length < 8);
  for (let count = 31; count < 100; count++) {
    const now = namesOf(many.slice(0, count));
    const earlier = namesOf(many.slice(0, count - 1));
    assert.ok(now.filter((group) => !earlier.includes(group)).length <= 2 ** 3);
    assert.ok(earlier.filter((group) => !now.includes(group)).length <= 1);
  }
});
