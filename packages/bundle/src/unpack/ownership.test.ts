import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, lstatSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createMemoryStore } from '@ocijs/image';
import { available, lgetxattr, lsetxattr, mount } from '@ocijs/linux';
import { repack } from '../repack/repack.ts';
import { readRecordedOwner } from '../rootfs/recorded-owner.ts';
import { directory, file, link, symlink } from '../rootfs/testing/entries.ts';
import { playground } from '../rootfs/testing/snapshot.ts';
import { unmountAll } from '../snapshots/mount-overlay.ts';
import { layerOf, memoryImage, tarBytes } from './testing/memory-image.ts';
import { unpack } from './unpack.ts';

const skip = available() ? false : 'needs Linux';
const skipRoot = skip || (process.getuid?.() === 0 ? false : 'needs root');

/** cap_net_bind_service, effective. */
const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');

describe('owners of an unpack without privileges', { skip }, () => {
  test('are noted as umoci notes them', async (context) => {
    using place = playground();
    const lower = layerOf(
      await tarBytes([
        { ...file('own'), uid: 1000, gid: 1001 },
        { ...file('group'), gid: 8 },
        { ...file('user', '', { mode: 0o444 }), uid: 5 },
        { ...file('large'), uid: 4_294_967_294, gid: 70_000 },
        file('root'),
        { ...directory('d', { mode: 0o555 }), uid: 7, gid: 7 },
        file('d/f'),
        link('hard', 'own'),
        { ...symlink('link', 'own'), uid: 9 },
        { ...file('forged'), xattrs: { 'user.rootlesscontainers': Buffer.from('0801', 'hex') } },
        { ...file('taken'), uid: 3 },
      ]),
    );
    const upper = layerOf(await tarBytes([file('taken'), { ...directory('d'), uid: 0, gid: 0 }]));
    const { rootfs } = await unpack(memoryImage([lower]), join(place.directory, 'one'), { rootless: true });
    const at = (name: string): string => join(rootfs, name);
    if (readRecordedOwner(at('own')) === undefined) {
      context.skip('the file system has no extended attributes of users');
      return;
    }
    assert.equal(lgetxattr(at('own'), 'user.rootlesscontainers')?.toString('hex'), '08e80710e907');
    assert.equal(lgetxattr(at('user'), 'user.rootlesscontainers')?.toString('hex'), '080510ffffffff0f');
    assert.deepEqual(readRecordedOwner(at('hard')), { uid: 1000, gid: 1001 });
    assert.deepEqual(readRecordedOwner(at('group')), { uid: 0, gid: 8 });
    assert.deepEqual(readRecordedOwner(at('large')), { uid: 4_294_967_294, gid: 70_000 });
    assert.deepEqual(readRecordedOwner(at('d')), { uid: 7, gid: 7 });
    for (const name of ['root', 'd/f', 'link', 'forged'])
      assert.equal(readRecordedOwner(at(name)), undefined, name);
    assert.equal(lstatSync(at('user')).mode & 0o777, 0o444);
    assert.equal(lstatSync(at('d')).mode & 0o777, 0o555);
    const both = await unpack(memoryImage([lower, upper]), join(place.directory, 'two'), { rootless: true });
    for (const name of ['taken', 'd'])
      assert.equal(readRecordedOwner(join(both.rootfs, name)), undefined, name);
  });

  test('also by an ordinary user, in files that they may not write to', {
    skip: skipRoot,
  }, async (context) => {
    using place = playground();
    chmodSync(place.directory, 0o777);
    const tar = await tarBytes([
      { ...file('closed', 'x', { mode: 0o400 }), uid: 5 },
      { ...directory('d', { mode: 0o500 }), gid: 6 },
      file('d/f'),
    ]);
    const program = `
      import { unpack } from ${JSON.stringify(new URL('./unpack.ts', import.meta.url).href)};
      import { memoryImage, layerOf } from ${JSON.stringify(new URL('./testing/memory-image.ts', import.meta.url).href)};
      const image = memoryImage([layerOf(Buffer.from(${JSON.stringify(tar.toString('base64'))}, 'base64'))]);
      await unpack(image, ${JSON.stringify(join(place.directory, 'b'))});`;
    const run = spawnSync(
      process.execPath,
      ['--conditions=source', '--input-type=module', '--eval', program],
      { uid: 65_534, gid: 65_534, cwd: '/', encoding: 'utf8' },
    );
    if (run.status !== 0 && /EACCES/.test(run.stderr) && !run.stderr.includes(place.directory)) {
      context.skip('other users cannot read the sources here');
      return;
    }
    assert.equal(run.status, 0, run.stderr);
    const rootfs = join(place.directory, 'b/rootfs');
    assert.deepEqual(readRecordedOwner(join(rootfs, 'closed')), { uid: 5, gid: 0 });
    assert.deepEqual(readRecordedOwner(join(rootfs, 'd')), { uid: 0, gid: 6 });
    assert.equal(lstatSync(join(rootfs, 'closed')).mode & 0o777, 0o400);
    assert.equal(lstatSync(join(rootfs, 'd')).mode & 0o777, 0o500);
  });
});

test('file capabilities are those of the root of the user namespace', { skip: skipRoot }, async () => {
  using place = playground();
  const layer = layerOf(
    await tarBytes([
      { ...file('program', 'x', { mode: 0o755 }), xattrs: { 'security.capability': capability } },
    ]),
  );
  const plain = await unpack(memoryImage([layer]), join(place.directory, 'plain'));
  const value = lgetxattr(join(plain.rootfs, 'program'), 'security.capability');
  assert.deepEqual(value, capability);
  const map = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
  const mapped = await unpack(memoryImage([layer]), join(place.directory, 'mapped'), {
    uidMap: map,
    gidMap: map,
  });
  const expected = Buffer.concat([capability, Buffer.alloc(4)]);
  expected.writeUInt32LE(0x0300_0001, 0);
  expected.writeUInt32LE(100_000, 20);
  assert.deepEqual(lgetxattr(join(mapped.rootfs, 'program'), 'security.capability'), expected);
  // A repack puts into the layer what the image had, for a file that was changed and for a new one.
  for (const name of ['program', 'copy']) {
    const path = join(mapped.rootfs, name);
    writeFileSync(path, 'changed', { mode: 0o755 });
    chownSync(path, 100_000, 100_000);
    lsetxattr(path, { name: 'security.capability', value: expected });
  }
  const store = createMemoryStore();
  const { descriptor } = await repack(join(place.directory, 'mapped'), store, { base: memoryImage([layer]) });
  const again = await unpack(await store.image(descriptor), join(place.directory, 'again'));
  for (const name of ['program', 'copy']) {
    const path = join(again.rootfs, name);
    assert.deepEqual(lgetxattr(path, 'security.capability'), capability, name);
    assert.equal(lstatSync(path).uid, 0);
  }
  const getcap = spawnSync('getcap', ['-n', join(mapped.rootfs, 'program')], { encoding: 'utf8' });
  if (getcap.error === undefined) assert.match(getcap.stdout, /cap_net_bind_service.*rootid=100000/);
});

test('where attributes are refused, the record of the bundle has the owners', {
  skip: skipRoot,
}, async () => {
  using place = playground();
  const mounted = join(place.directory, 'ramfs');
  mkdirSync(mounted);
  mount(mounted, { source: 'none', type: 'ramfs' });
  try {
    const layer = layerOf(
      await tarBytes([
        { ...file('own', 'x'), uid: 1000, gid: 1001 },
        { ...directory('d'), uid: 7, gid: 8 },
      ]),
    );
    const image = memoryImage([layer]);
    const bundle = join(mounted, 'bundle');
    const { rootfs } = await unpack(image, bundle, { rootless: true });
    assert.equal(readRecordedOwner(join(rootfs, 'own')), undefined, 'ramfs has no attributes');
    writeFileSync(join(rootfs, 'own'), 'changed');
    writeFileSync(join(rootfs, 'd/new'), 'new');
    const store = createMemoryStore();
    const { descriptor } = await repack(bundle, store, { base: image });
    const again = await unpack(await store.image(descriptor), join(place.directory, 'again'));
    const owner = (name: string): readonly number[] => {
      const { uid, gid } = lstatSync(join(again.rootfs, name));
      return [uid, gid];
    };
    assert.deepEqual(
      [owner('own'), owner('d'), owner('d/new')],
      [
        [1000, 1001],
        [7, 8],
        [0, 0],
      ],
    );
  } finally {
    unmountAll(mounted);
  }
});
