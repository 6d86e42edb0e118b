import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, lstatSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { available } from '@ocijs/linux';
import { directory, file, symlink } from '../rootfs/testing/entries.ts';
import { playground } from '../rootfs/testing/snapshot.ts';
import { layerOf, memoryImage, tarBytes } from './testing/memory-image.ts';
import { unpack } from './unpack.ts';

const isRoot = process.getuid?.() === 0;
const skip = !available() ? 'needs Linux' : isRoot ? false : 'needs root';
const skipAcl = skip || (spawnSync('setfacl', ['--version']).error ? 'needs setfacl' : false);

function modeOf(path: string): string {
  return (lstatSync(path).mode & 0o7777).toString(8);
}

test('nothing is inherited from where the bundle is made, nor from a set-group-id directory', {
  skip,
}, async () => {
  using place = playground();
  const parent = join(place.directory, 'parent');
  mkdirSync(parent);
  chownSync(parent, 0, 4_242);
  execFileSync('chmod', ['2777', parent]);
  const lower = layerOf(
    await tarBytes([
      { ...directory('shared'), mode: 0o2775, gid: 50 },
      file('shared/root'),
      { ...file('shared/other'), gid: 60 },
      directory('shared/below'),
      symlink('shared/link', 'root'),
      file('plain'),
      { ...file('closed'), mode: 0o400 },
      { ...file('open'), mode: 0o666 },
      { ...file('setid'), mode: 0o6755 },
      { ...directory('sticky'), mode: 0o1777 },
    ]),
  );
  const upper = layerOf(
    await tarBytes([file('shared/later'), directory('shared/deep'), file('shared/deep/file')]),
  );
  const { rootfs } = await unpack(memoryImage([lower, upper]), join(parent, 'bundle'));
  const groups = Object.fromEntries(
    [
      'plain',
      'shared',
      'shared/root',
      'shared/other',
      'shared/below',
      'shared/link',
      'shared/later',
      'shared/deep',
      'shared/deep/file',
    ].map((name) => [name, lstatSync(join(rootfs, name)).gid]),
  );
  assert.deepEqual(groups, {
    plain: 0,
    shared: 50,
    'shared/root': 0,
    'shared/other': 60,
    'shared/below': 0,
    'shared/link': 0,
    'shared/later': 0,
    'shared/deep': 0,
    'shared/deep/file': 0,
  });
  const modes = ['shared', 'shared/below', 'shared/deep', 'closed', 'open', 'setid', 'sticky'];
  assert.deepEqual(
    modes.map((name) => modeOf(join(rootfs, name))),
    ['2775', '755', '755', '400', '666', '6755', '1777'],
  );
});

test('no access control list is inherited, not even from a directory of the layer', {
  skip: skipAcl,
}, async (context) => {
  using place = playground();
  const parent = join(place.directory, 'parent');
  mkdirSync(parent);
  const set = spawnSync('setfacl', ['-d', '-m', 'u:1234:rwx', parent]);
  if (set.status !== 0) {
    context.skip('the file system has no access control lists');
    return;
  }
  const acl = Buffer.from(
    execFileSync('getfattr', ['--only-values', '-n', 'system.posix_acl_default', parent]),
  );
  const withAcl = { ...directory('d'), xattrs: { 'system.posix_acl_default': acl } };
  const stack = [
    layerOf(await tarBytes([file('a'), withAcl, file('d/b'), directory('d/c'), file('d/c/e')])),
    layerOf(await tarBytes([file('d/later')])),
  ];
  const { rootfs } = await unpack(memoryImage(stack), join(parent, 'bundle'));
  const names = ['a', 'd/b', 'd/c', 'd/c/e', 'd/later'];
  const found = execFileSync('getfacl', ['-c', '-s', ...names], { cwd: rootfs, encoding: 'utf8' });
  assert.equal(found.trim(), '', 'only base entries');
  assert.match(
    execFileSync('getfacl', ['-c', 'd'], { cwd: rootfs, encoding: 'utf8' }),
    /default:user:1234:rwx/,
  );
  assert.equal(readFileSync(join(rootfs, 'a'), 'utf8'), '');
});
