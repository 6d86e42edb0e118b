import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { writeImage } from '../build/image.ts';
import { buildLayer } from '../build/layer.ts';
import type { ImageSource } from '../source.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import { collectTar } from '../tar/testing/collect.ts';
import { collectBytes } from '../tar/testing/streams.ts';
import { type TarWriteEntry, writeTar } from '../tar/write-tar.ts';
import { compareImageTrees } from './compare-images.ts';
import { exportImage } from './export-image.ts';
import { readImageTree } from './image-tree.ts';
import { bytesOfText, textOfBytes } from './names.ts';
import { findNode } from './resolve.ts';
import { pathOf } from './tree.ts';
import { walkTree } from './walk.ts';

const file = (name: string, content = '', fields: object = {}): TarWriteEntry => ({
  header: { name, ...fields },
  body: Buffer.from(content),
});
const directory = (name: string, fields: object = {}): TarWriteEntry => ({
  header: { name, type: 'directory', ...fields },
});
const symlink = (name: string, linkname: string): TarWriteEntry => ({
  header: { name, type: 'symlink', linkname },
});
const link = (name: string, linkname: string): TarWriteEntry => ({
  header: { name, type: 'link', linkname },
});

async function imageOf(...layers: readonly (readonly TarWriteEntry[])[]): Promise<ImageSource> {
  const store = createMemoryStore();
  const built = [];
  for (const entries of layers) built.push(await buildLayer(entries));
  await writeImage(store, { layers: built, name: 'test' });
  return store.image('test');
}

async function pathsOf(...layers: readonly (readonly TarWriteEntry[])[]): Promise<string[]> {
  const root = await readImageTree(await imageOf(...layers));
  return [...walkTree(root)].map(pathOf).slice(1);
}

describe('the tree of an image', () => {
  test('later layers replace, whiteouts hide, in any order', async () => {
    assert.deepEqual(
      await pathsOf(
        [directory('a/'), file('a/x'), file('a/y'), file('b'), directory('c/'), file('c/d')],
        [file('a/z'), file('a/.wh..wh..opq'), file('.wh.b'), file('c'), file('.wh.missing')],
      ),
      ['a', 'a/z', 'c'],
    );
    assert.deepEqual(await pathsOf([directory('a/'), file('a/x')], [file('.wh.a'), file('a/new')]), [
      'a',
      'a/new',
    ]);
    // What the layer made itself stays.
    assert.deepEqual(await pathsOf([file('x')], [file('x', 'new'), file('.wh.x')]), ['x']);
  });

  test('links in parents are followed, inside the root', async () => {
    assert.deepEqual(
      await pathsOf(
        [directory('usr/'), directory('usr/bin/'), symlink('bin', '/usr/bin'), symlink('up', '../../..')],
        [file('bin/sh'), file('up/top'), file('bin/.wh.gone')],
      ),
      ['bin', 'top', 'up', 'usr', 'usr/bin', 'usr/bin/sh'],
    );
  });

  test('hard links share a file, also across layers', async () => {
    const root = await readImageTree(await imageOf([file('a', '1')], [link('b', 'a')]));
    assert.equal(
      findNode(root, ['a'], { follow: false })?.inode,
      findNode(root, ['b'], { follow: false })?.inode,
    );
  });

  test('a path is found through links, and those at its end on request', async () => {
    const root = await readImageTree(
      await imageOf([
        directory('d/'),
        file('d/f', '1'),
        symlink('l', 'd/f'),
        symlink('m', 'l'),
        symlink('o', 'o'),
      ]),
    );
    const find = (path: string, follow: boolean) => {
      const node = findNode(root, path.split('/'), { follow });
      return node === undefined ? undefined : pathOf(node);
    };
    assert.equal(find('m', true), 'd/f');
    assert.equal(find('m', false), 'm');
    assert.equal(find('nothing', true), undefined);
    assert.throws(() => find('o', true), { code: 'ERR_OCI_TAR_INVALID' });
  });

  test('what cannot be unpacked is refused', async () => {
    for (const layers of [
      [[link('a', 'missing')]],
      [[file('.wh.')]],
      [[file('.wh...')]],
      [[file('./', '')]],
      [[file('a'), file('a/b')]],
    ])
      await assert.rejects(pathsOf(...layers), { code: 'ERR_OCI_TAR_INVALID' });
  });

  test('names that are not UTF-8 stay what they are', async () => {
    const bytes = Buffer.from([0x66, 0xff, 0xc3, 0xa9, 0x80]);
    assert.ok(bytesOfText(textOfBytes(bytes)).equals(bytes));
    const image = await imageOf([{ header: { name: '?', nameBytes: bytes }, body: Buffer.from('1') }]);
    const { entries } = collectTar(await collectBytes(writeTar(exportImage(image))));
    assert.ok(entries.at(-1)?.header.nameBytes?.equals(bytes));
  });
});

test('an export has the files of all layers, parents first, and their hard links', async () => {
  const image = await imageOf(
    [directory('d/', { mode: 0o700 }), file('d/a', 'old'), file('gone'), file('z', 'z')],
    [file('d/a', 'new', { uid: 7, xattrs: new Map([['user.x', Buffer.from('y')]]) }), link('d/b', 'd/a')],
    [file('.wh.gone'), symlink('s', 'd')],
  );
  const { entries } = collectTar(await collectBytes(writeTar(exportImage(image))));
  assert.deepEqual(
    entries.map(({ header, data }) => [header.name, header.type, header.linkname || data.toString()]),
    [
      ['./', 'directory', ''],
      ['d/', 'directory', ''],
      ['s', 'symlink', 'd'],
      ['z', 'file', 'z'],
      ['d/a', 'file', 'new'],
      ['d/b', 'link', 'd/a'],
    ],
  );
  const a = entries.find(({ header }) => header.name === 'd/a')?.header;
  assert.equal(a?.uid, 7);
  assert.deepEqual([...(a?.xattrs.keys() ?? [])], ['user.x']);
});

test('images are compared file by file, by content where it can be equal', async () => {
  const time = { mtimeNs: 5_000_000_000n };
  const one = await imageOf([
    file('same', 'x'),
    file('content', 'abc'),
    file('time', 'abc'),
    file('mode', 'abc'),
    file('type', ''),
    directory('removed/'),
    file('removed/file'),
    symlink('link', 'a'),
  ]);
  const two = await imageOf([
    file('same', 'x'),
    file('content', 'abd'),
    file('time', 'abc', time),
    file('mode', 'abc', { mode: 0o600, uid: 1 }),
    symlink('type', 'a'),
    file('added'),
    symlink('link', 'b'),
  ]);
  const files = async (image: ImageSource) => ({ image, root: await readImageTree(image) });
  const changes = await compareImageTrees(await files(one), await files(two));
  assert.deepEqual(
    changes.map(({ kind, path, differences }) => `${kind} ${path} ${differences.join(',')}`.trimEnd()),
    [
      'added added',
      'changed content content',
      'changed link link',
      'changed mode mode,owner',
      'removed removed',
      'changed time time',
      'changed type type',
    ],
  );
  assert.deepEqual(await compareImageTrees(await files(one), await files(one)), []);
});
