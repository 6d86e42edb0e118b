import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isOciError } from '@ocijs/image';
import { available, lsetxattr, nameFromBytes } from '@ocijs/linux';
import type { ApplyWarning } from './layer-context.ts';
import { applyLayers, characterDevice, directory, file, header, link, symlink } from './testing/entries.ts';
import { type Playground, paths, playground, snapshot } from './testing/snapshot.ts';

const skip = available() ? false : 'needs Linux';
const isRoot = process.getuid?.() === 0;
const skipUnlessRoot = skip || (isRoot ? false : 'needs root');

function emptyRootfs(): Playground {
  const place = playground();
  mkdirSync(place.rootfs, { mode: 0o755 });
  return place;
}

test('times: of files to the nanosecond, of directories after all of their entries', { skip }, () => {
  using place = emptyRootfs();
  const mtimeNs = 1_234_567_890_987_654_321n;
  applyLayers(place.rootfs, [
    [
      directory('./', { mtimeNs: 3_000_000_000n }),
      directory('d', { mtimeNs }),
      file('d/f', 'x', { mtimeNs: -1n, atimeNs: 7n }),
      directory('d/e', { mtimeNs: 2_000_000_000n }),
      symlink('d/l', 'x', { mtimeNs }),
    ],
  ]);
  const status = (path: string) => lstatSync(join(place.rootfs, path), { bigint: true });
  assert.equal(status('d').mtimeNs, mtimeNs);
  assert.equal(status('d/f').mtimeNs, -1n);
  assert.equal(status('d/f').atimeNs, 7n);
  assert.equal(status('d/e').mtimeNs, 2_000_000_000n);
  assert.equal(status('d/l').mtimeNs, mtimeNs);
  assert.equal(status('.').mtimeNs, 3_000_000_000n);
});

test('a directory keeps its times when a later layer only changes what is in it', { skip }, () => {
  using place = emptyRootfs();
  applyLayers(place.rootfs, [
    [directory('d'), directory('d/e'), file('d/e/x'), file('d/y')],
    [file('d/z'), file('d/.wh.y'), file('d/e/.wh..wh..opq')],
    [file('d/e/f/g')],
  ]);
  const found = snapshot(place.rootfs);
  assert.equal(found.get('d')?.mtime, 1_600_000_000);
  assert.equal(found.get('d/e')?.mtime, 1_600_000_000);
  assert.equal(found.get('d/e/f')?.mtime, 0, 'a directory without an entry looks the same in every unpack');
  assert.equal(found.get('d/e/f')?.mode, 0o755);
});

test('the umask has no say', { skip }, () => {
  using place = emptyRootfs();
  const before = process.umask(0o077);
  try {
    applyLayers(place.rootfs, [[file('a/b', 'x', { mode: 0o666 }), directory('c', { mode: 0o777 })]]);
  } finally {
    process.umask(before);
  }
  const found = snapshot(place.rootfs);
  assert.deepEqual(
    [found.get('a')?.mode, found.get('a/b')?.mode, found.get('c')?.mode],
    [0o755, 0o666, 0o777],
  );
});

test('set-id bits survive the change of owner', { skip: skipUnlessRoot }, () => {
  using place = emptyRootfs();
  applyLayers(place.rootfs, [[file('su', 'x', { mode: 0o6755, uid: 1_000, gid: 1_001 })]]);
  const found = snapshot(place.rootfs).get('su');
  assert.deepEqual([found?.mode, found?.uid, found?.gid], [0o6755, 1_000, 1_001]);
});

test('ids are mapped, also those of directories without an entry; an unmapped one is refused', {
  skip: skipUnlessRoot,
}, () => {
  using place = emptyRootfs();
  const map = [
    { containerID: 0, hostID: 100_000, size: 10 },
    { containerID: 10, hostID: 5, size: 1 },
  ];
  const options = { uidMap: map, gidMap: map };
  applyLayers(place.rootfs, [[file('a/b', '', { uid: 9, gid: 10 }), symlink('l', 'x', { uid: 1 })]], options);
  const found = snapshot(place.rootfs);
  const owner = (path: string) => [found.get(path)?.uid, found.get(path)?.gid];
  assert.deepEqual(owner('a'), [100_000, 100_000]);
  assert.deepEqual(owner('a/b'), [100_009, 5]);
  assert.deepEqual(owner('l'), [100_001, 100_000]);
  assert.throws(
    () => applyLayers(place.rootfs, [[file('x', '', { uid: 11 })]], options),
    (error) => isOciError(error, 'ERR_OCI_LAYER_INVALID'),
  );
});

test('hard links: across layers, to links, and broken up by a later layer', { skip }, () => {
  using place = emptyRootfs();
  applyLayers(place.rootfs, [
    [file('a', 'one'), symlink('s', 'a'), link('t', 's')],
    [link('b', './a'), link('d/c', '/a')],
    [file('a', 'two')],
  ]);
  const found = snapshot(place.rootfs);
  assert.equal(found.get('t')?.linkGroup, 's');
  assert.equal(found.get('t')?.target, 'a');
  assert.equal(found.get('d/c')?.linkGroup, 'b');
  assert.equal(found.get('b')?.content, 'one');
  assert.equal(found.get('a')?.content, 'two');
});

test('the attributes of an entry are all that its file has', { skip }, (t) => {
  using place = emptyRootfs();
  try {
    lsetxattr(place.rootfs, { name: 'user.probe', value: Buffer.of() });
  } catch {
    return t.skip('the temporary directory has no extended attributes');
  }
  const binary = Buffer.from([0, 255, 0]);
  applyLayers(place.rootfs, [
    [
      directory('./'),
      directory('d', { xattrs: { 'user.a': '1', 'user.b': '2' } }),
      file('f', '', { xattrs: { 'user.x': binary } }),
    ],
    [directory('d', { xattrs: { 'user.b': '3' } }), file('d/f')],
  ]);
  const found = snapshot(place.rootfs);
  assert.deepEqual(found.get('d')?.xattrs, { 'user.b': '3' });
  assert.deepEqual(found.get('f')?.xattrs, { 'user.x': binary.toString() });
  assert.equal(found.get('.')?.xattrs, undefined);
});

test('sparse files have holes', { skip }, () => {
  using place = emptyRootfs();
  const size = 50_000_000;
  const sparse = [
    { offset: 0, length: 3 },
    { offset: 40_000_000, length: 2 },
  ];
  applyLayers(place.rootfs, [
    [file('s', 'abcde', { size, sparse }), file('empty', '', { size, sparse: [] })],
  ]);
  const bytes = readFileSync(join(place.rootfs, 's'));
  assert.equal(bytes.length, size);
  assert.equal(bytes.toString('latin1', 0, 4), 'abc\0');
  assert.equal(bytes.toString('latin1', 39_999_999, 40_000_003), '\0de\0');
  assert.ok(lstatSync(join(place.rootfs, 's')).blocks < 1_000);
  assert.equal(lstatSync(join(place.rootfs, 'empty')).size, size);
});

test('names that are not UTF-8 are kept byte for byte, also in links and whiteouts', { skip }, () => {
  using place = emptyRootfs();
  const bytes = Buffer.from('ff2fc3a9fe', 'hex');
  const odd = { name: bytes.toString(), nameBytes: bytes };
  applyLayers(place.rootfs, [
    [
      { ...odd, type: 'file', content: 'x' },
      { ...link('h', ''), linknameBytes: bytes },
      { ...symlink('s', ''), linknameBytes: bytes },
    ],
    [{ type: 'file', nameBytes: Buffer.from('2e77682eff', 'hex') }],
  ]);
  assert.deepEqual(readdirSync(place.rootfs), ['h', 's']);
  assert.equal(readFileSync(join(place.rootfs, 'h'), 'utf8'), 'x');
  assert.equal(nameFromBytes(Buffer.from('ff', 'hex')), '\udcff');
});

test('whiteouts leave alone what their own layer made, before or after them', { skip }, () => {
  using place = emptyRootfs();
  applyLayers(place.rootfs, [
    [file('a/low'), file('b/low'), file('c/d/low'), file('x/low'), symlink('y', 'x')],
    [
      file('a/up'),
      file('.wh.a'),
      file('.wh.b'),
      file('b/up'),
      file('c/d/up'),
      file('.wh..wh..opq'),
      file('y', 'up'),
    ],
  ]);
  assert.deepEqual(paths(place.rootfs), ['a', 'a/up', 'b', 'b/up', 'c', 'c/d', 'c/d/up', 'y']);
});

test('a directory goes through a link only with keepDirlinks', { skip }, () => {
  for (const keepDirlinks of [true, false]) {
    using place = emptyRootfs();
    const lower = [directory('usr/lib'), symlink('lib', 'usr/lib'), symlink('dead', 'nowhere')];
    applyLayers(place.rootfs, [lower, [directory('lib'), file('lib/x'), directory('dead')]], {
      keepDirlinks,
    });
    const found = snapshot(place.rootfs);
    assert.equal(found.get('lib')?.type, keepDirlinks ? 'symlink' : 'dir');
    assert.equal(found.has('usr/lib/x'), keepDirlinks);
    assert.equal(found.get('dead')?.type, 'dir');
  }
});

test('rootless: closed directories can be filled, replaced and whited out', { skip }, () => {
  using place = emptyRootfs();
  const options = { rootless: true, placeholderDevices: true };
  applyLayers(
    place.rootfs,
    [
      [
        directory('d', { mode: 0o555 }),
        directory('d/e', { mode: 0 }),
        file('d/e/f', 'x', { mode: 0 }),
        directory('g', { mode: 0 }),
        file('g/h/i'),
      ],
      [file('d/e/new', 'x', { uid: 5 }), file('.wh.g')],
      [file('d/e/newer'), directory('d', { mode: 0o500 })],
    ],
    options,
  );
  assert.equal(lstatSync(join(place.rootfs, 'd')).mode & 0o7777, 0o500);
  assert.deepEqual(readdirSync(join(place.rootfs)), ['d']);
  assert.equal(lstatSync(join(place.rootfs, 'd')).uid, process.getuid?.());
  applyLayers(place.rootfs, [[file('.wh.d')]], options);
  assert.deepEqual(readdirSync(place.rootfs), []);
});

test('rootless: devices become empty files with one warning; owners stay', { skip }, () => {
  using place = emptyRootfs();
  const warnings: ApplyWarning[] = [];
  applyLayers(
    place.rootfs,
    [[characterDevice('null', { mode: 0o666, deviceMajor: 1, deviceMinor: 3 }), file('f', '', { uid: 7 })]],
    {
      rootless: true,
      placeholderDevices: true,
      onWarning: (warning) => warnings.push(warning),
    },
  );
  const found = snapshot(place.rootfs);
  assert.deepEqual([found.get('null')?.type, found.get('null')?.mode], ['file', 0o666]);
  assert.equal(found.get('f')?.uid, process.getuid?.());
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ['device-placeholder'],
  );
});

test('without root and without rootless the error says what to do', {
  skip: skip || (isRoot ? 'needs an ordinary user' : false),
}, () => {
  using place = emptyRootfs();
  assert.throws(
    () => applyLayers(place.rootfs, [[file('f', '', { uid: 7 })]], { rootless: false }),
    (error) => isOciError(error, 'ERR_OCI_UNPACK_DENIED') && /rootless/.test(error.hint ?? ''),
  );
});

test('nothing stays open, also after a refusal', { skip }, () => {
  const count = () => readdirSync('/proc/self/fd').length;
  applyNothing();
  const before = count();
  for (let index = 0; index < 3; index += 1) {
    using place = emptyRootfs();
    const many = Array.from({ length: 300 }, (_, at) => file(`d${at}/e/f`, 'x'));
    applyLayers(place.rootfs, [many, many.toReversed()]);
    assert.throws(() => applyLayers(place.rootfs, [[...many, link('l', 'missing')]]));
    writeFileSync(join(place.rootfs, 'ok'), '');
  }
  assert.equal(count(), before);
});

function applyNothing(): void {
  using place = emptyRootfs();
  applyLayers(place.rootfs, [[file(header(file('x')).name)]]);
}
