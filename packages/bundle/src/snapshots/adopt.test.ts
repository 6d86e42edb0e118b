import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { type ImageSource, writeTar } from '@ocijs/image';
import { available, constants, llistxattr, lsetxattr, mknodat } from '@ocijs/linux';
import { overlayEntries } from '../repack/overlay-upper.ts';
import { directory, file, link, symlink } from '../rootfs/testing/entries.ts';
import { playground, snapshot } from '../rootfs/testing/snapshot.ts';
import { layerOf, memoryImage, tarBytes } from '../unpack/testing/memory-image.ts';
import { prepareRootfs, releaseRootfs } from './prepare-rootfs.ts';
import { settleUpper } from './settle-upper.ts';
import { openSnapshots } from './snapshots.ts';

const skip = !available() ? 'needs Linux' : process.getuid?.() !== 0 && 'needs root: mounts an overlay';
const clampNs = 1_000_000_000_000_000_000n;

const base = [
  directory('./', { mode: 0o751 }),
  directory('bin', { mode: 0o1777, xattrs: { 'user.note': 'bin' } }),
  file('bin/a', 'a', { mode: 0o4755 }),
  link('bin/b', 'bin/a'),
  symlink('sbin', 'bin'),
  directory('gone'),
  file('gone/x', 'x'),
  directory('again'),
  file('again/old', 'old'),
  file('etc/passwd', 'root:x:0:0'),
];

const changes = `
rm -r gone; rm -r again; mkdir again; echo new > again/new
chmod 640 etc/passwd; chown 7:8 etc/passwd; rm bin/b; echo more >> bin/a
mkdir -p opt/storm; for n in 1 2 3 4 5 6 7 8 9; do echo $n > opt/storm/$n; done
ln opt/storm/1 opt/first; ln -s storm opt/link; mkfifo opt/fifo; touch -d 1999-01-01 opt/old
mkdir -p mounted/here mounted/full; touch mounted/file; echo x > mounted/full/x
mkdir opt/closed; echo x > opt/closed/x; chmod 000 opt/closed
`;

test('an upper directory becomes the snapshot that its layer would have become', { skip }, async () => {
  using place = playground();
  const at = (name: string): string => join(place.directory, name);
  const lower = layerOf(await tarBytes(base));
  const image = memoryImage([lower]);
  const { rootfs } = await prepareRootfs(image, at('made'), { snapshots: at('one') });
  execFileSync('/bin/sh', ['-ec', changes], { cwd: rootfs });
  mknodat(constants.AT_FDCWD, join(rootfs, 'opt/null'), { mode: constants.S_IFCHR, major: 1, minor: 3 });
  lsetxattr(join(rootfs, 'opt/storm'), { name: 'user.overlay.opaque', value: Buffer.from('y') });
  lsetxattr(join(rootfs, 'opt/first'), { name: 'user.kept', value: Buffer.from('1') });
  const server = createServer().listen(join(rootfs, 'opt/socket'));
  await new Promise((resolve) => server.once('listening', resolve));
  await releaseRootfs(at('made'));

  const snapshots = await openSnapshots(at('one'));
  const [below] = await snapshots.ensure(image);
  const upper = at('made/overlay/upper');
  const mountPoints = new Set(['mounted', 'mounted/here', 'mounted/full', 'mounted/file']);
  settleUpper(upper, { form: snapshots.form, lower: below?.rootfs, clampNs, mountPoints });
  server.close();
  const layer = layerOf(await bytes(overlayEntries(upper)));
  const whole = memoryImage([lower, layer]);
  const { diff_ids: diffIds } = whole.config.rootfs;
  assert.equal(await snapshots.adopt(upper, { diffIds }), true);
  assert.ok(!readdirSync(at('made/overlay')).includes('upper'));
  assert.equal(await snapshots.adopt(at('nothing'), { diffIds }), true, 'it is there already');

  const unread: ImageSource = {
    ...whole,
    openBlob: () => {
      throw new Error('the layer is read');
    },
  };
  const adopted = await tree(unread, at('adopted'), at('one'));
  const unpacked = await tree(whole, at('unpacked'), at('two'));
  assert.deepEqual(adopted, unpacked);
  const names = adopted.map(({ path }) => path);
  assert.ok(names.includes('mounted/full/x') && names.includes('opt/null') && names.includes('again/new'));
  for (const path of ['mounted/here', 'mounted/file', 'opt/socket', 'again/old', 'gone', 'bin/b'])
    assert.ok(!names.includes(path), path);
  const [, above] = await snapshots.ensure(unread);
  assert.deepEqual(llistxattr(join(above?.rootfs ?? '', 'etc/passwd')), [], 'no notes of overlayfs');
  assert.deepEqual(llistxattr(join(above?.rootfs ?? '', 'opt/storm')), [], 'no marks of processes');
});

async function bytes(entries: Parameters<typeof writeTar>[0]): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of writeTar(entries)) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

/** What a container would see; overlayfs gives links to a file one by one. */
async function tree(image: ImageSource, container: string, snapshots: string) {
  const { rootfs } = await prepareRootfs(image, container, { snapshots });
  try {
    return [...snapshot(rootfs)].map(([path, { linkGroup: _, ...entry }]) => ({ path, ...entry }));
  } finally {
    await releaseRootfs(container);
  }
}
