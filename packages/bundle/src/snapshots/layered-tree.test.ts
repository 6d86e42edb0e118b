import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isOciError } from '@ocijs/image/errors';
import { close, constants, lsetxattr, mknodat } from '@ocijs/linux';
import { openLayeredTree } from './layered-tree.ts';

async function layers() {
  const directory = await mkdtemp(join(tmpdir(), 'oci-layered-'));
  const [upper, lower] = [join(directory, 'upper'), join(directory, 'lower')];
  for (const path of ['upper/a', 'upper/opaque', 'lower/a/deep', 'lower/opaque', 'lower/usr/bin'])
    await mkdir(join(directory, path), { recursive: true });
  await writeFile(join(upper, 'a/new'), 'new');
  await writeFile(join(upper, 'file'), 'upper');
  await writeFile(join(lower, 'file'), 'lower');
  await writeFile(join(lower, 'a/gone'), 'gone');
  await writeFile(join(lower, 'opaque/hidden'), 'hidden');
  await symlink('usr/bin', join(lower, 'bin'));
  await symlink('/../../../../usr', join(lower, 'absolute'));
  await symlink('loop', join(lower, 'loop'));
  await symlink('file', join(lower, 'a/deep/link'));
  mknodat(constants.AT_FDCWD, join(upper, 'a/gone'), { mode: constants.S_IFCHR });
  lsetxattr(join(upper, 'opaque'), { name: 'user.overlay.opaque', value: Buffer.from('y') });
  return {
    tree: openLayeredTree([upper, lower], 'user'),
    async [Symbol.asyncDispose](): Promise<void> {
      this.tree[Symbol.dispose]();
      await rm(directory, { recursive: true });
    },
  };
}

const skip = process.getuid?.() === 0 ? false : 'whiteouts are made by root here';

test('the tree shows what overlayfs would', { skip }, async () => {
  await using place = await layers();
  const { tree } = place;
  const find = (path: string) => tree.resolve(path, { followLast: true });
  const names = (path: string) => {
    const { file } = find(path);
    assert.ok(file);
    return tree.children(file).map(([name]) => name);
  };
  assert.deepEqual(names('/'), ['a', 'absolute', 'bin', 'file', 'loop', 'opaque', 'usr']);
  assert.deepEqual(names('a'), ['deep', 'new']);
  assert.deepEqual(names('opaque'), []);
  assert.equal(find('a/gone').file, undefined);
  const { file } = find('file');
  assert.ok(file);
  const fd = tree.open(file);
  assert.equal(readFileSync(fd, 'utf8'), 'upper');
  close(fd);
});

test('links lead within the tree', { skip }, async () => {
  await using place = await layers();
  const { tree } = place;
  const path = (text: string, followLast = true) => tree.resolve(text, { followLast }).path;
  assert.equal(path('bin/new/file'), 'usr/bin/new/file');
  assert.equal(path('absolute/bin'), 'usr/bin');
  assert.equal(path('bin', false), 'bin');
  assert.equal(path('bin/', false), 'bin');
  assert.equal(path('../../a/./deep/../new'), 'a/new');
  assert.equal(path('x/y/../../../bin'), 'usr/bin');
  assert.equal(path('/'), '.');
  const { file } = tree.resolve('a/deep/link', { followLast: false });
  assert.ok(file);
  assert.equal(tree.readLink(file), 'file');
  for (const hostile of ['loop/x', 'file/x'])
    assert.throws(
      () => path(hostile),
      (error) => isOciError(error, 'ERR_OCI_LAYER_INVALID'),
    );
});
