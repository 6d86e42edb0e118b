import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isOciError } from '@ocijs/image';
import { available } from '@ocijs/linux';
import { linuxOperations } from './linux-operations.ts';
import {
  applyLayers,
  characterDevice,
  directory,
  fifo,
  file,
  link,
  symlink,
  type TestEntry,
} from './testing/entries.ts';
import { type Playground, playground, snapshot } from './testing/snapshot.ts';

const skip = available() ? false : 'needs Linux';

interface Attack {
  readonly name: string;
  /** Layers made for one run; `outside` is the absolute path of the directory that must stay as it is. */
  layers(outside: string): readonly (readonly TestEntry[])[];
  /** The code of the refusal; without it the layers apply inside the root. */
  readonly refused?: string;
  check?(rootfs: string, place: Playground): void;
}

function content(rootfs: string, path: string): string {
  return readFileSync(join(rootfs, path), 'utf8');
}

function absent(path: string): void {
  assert.throws(() => lstatSync(path), { code: 'ENOENT' });
}

const up = '../../../../../../../../../..';

const attacks: readonly Attack[] = [
  {
    name: 'names with .. stay inside',
    layers: () => [
      [file('../outside/canary', 'x'), file(`${up}/etc/x`, 'x'), file('a/../../../outside/new', 'x')],
    ],
    check: (rootfs) => {
      assert.equal(content(rootfs, 'outside/canary'), 'x');
      assert.equal(content(rootfs, 'etc/x'), 'x');
      assert.equal(content(rootfs, 'outside/new'), 'x');
    },
  },
  {
    name: 'absolute names stay inside',
    layers: (outside) => [[file(`${outside}/canary`, 'x'), file('//etc//x', 'x')]],
    check: (rootfs, { outside }) => assert.equal(content(rootfs, `${outside}/canary`), 'x'),
  },
  {
    name: 'a write through an absolute link, in the same layer',
    layers: (outside) => [[symlink('l', outside), file('l/canary', 'x'), file('l/new', 'x')]],
    check: (rootfs, { outside }) => {
      assert.equal(readlinkSync(join(rootfs, 'l')), outside);
      assert.equal(content(rootfs, `${outside}/new`), 'x');
    },
  },
  {
    name: 'a write through an absolute link, in a later layer',
    layers: (outside) => [
      [symlink('l', outside)],
      [file('l/canary', 'x'), directory('l/d'), symlink('l/s', 'x')],
    ],
  },
  {
    name: 'a write through a relative link with too many ..',
    layers: () => [[symlink('l', `${up}/outside`), file('l/canary', 'x')], [file('l/new', 'x')]],
    check: (rootfs) => assert.equal(content(rootfs, 'outside/new'), 'x'),
  },
  {
    name: 'a chain of links whose text stays inside',
    layers: () => [
      [
        directory('a'),
        symlink('a/b', '.'),
        symlink('c', 'a/b/../..'),
        symlink('d', 'c/../outside'),
        file('d/canary', 'x'),
      ],
      [symlink('e', 'd/../../outside'), file('e/canary', 'x'), file('e/new', 'x')],
    ],
    check: (rootfs) => assert.equal(content(rootfs, 'outside/new'), 'x'),
  },
  {
    name: 'a link to the root of the file system',
    layers: (outside) => [[symlink('l', '/'), file(`l${outside}/canary`, 'x')]],
    check: (rootfs, { outside }) => assert.equal(content(rootfs, `${outside}/canary`), 'x'),
  },
  {
    name: 'links through /proc lead nowhere',
    layers: (outside) => [[symlink('l', `/proc/self/root${outside}`), file('l/canary', 'x')]],
    check: (rootfs, { outside }) => assert.equal(content(rootfs, `proc/self/root${outside}/canary`), 'x'),
  },
  {
    name: 'a file in the place of a link replaces the link',
    layers: (outside) => [[symlink('l', `${outside}/canary`)], [file('l', 'x')]],
    check: (rootfs) => assert.equal(content(rootfs, 'l'), 'x'),
  },
  {
    name: 'a directory in the place of a link replaces the link: no mode, owner or time goes through it',
    layers: (outside) => [[symlink('l', outside)], [directory('l', { mode: 0o777, mtimeNs: 5n })]],
    check: (rootfs) => assert.ok(lstatSync(join(rootfs, 'l')).isDirectory()),
  },
  {
    name: 'metadata of a link is the link’s own',
    layers: (outside) => [[symlink('l', `${outside}/canary`, { mode: 0o777, mtimeNs: 5_000_000_000n })]],
    check: (rootfs) => assert.equal(lstatSync(join(rootfs, 'l')).mtimeMs, 5_000),
  },
  {
    name: 'a hard link outside by an absolute name',
    layers: (outside) => [[link('h', `${outside}/canary`), file('h', 'x')]],
    refused: 'ERR_OCI_LAYER_INVALID',
  },
  {
    name: 'a hard link outside by ..',
    layers: () => [[link('h', '../outside/canary')]],
    refused: 'ERR_OCI_LAYER_INVALID',
  },
  {
    name: 'a hard link outside through a link',
    layers: (outside) => [[symlink('l', outside), symlink('m', 'l')], [link('h', 'm/canary')]],
    refused: 'ERR_OCI_LAYER_INVALID',
  },
  {
    name: 'a hard link to a link, then a write to it',
    layers: (outside) => [[symlink('l', `${outside}/canary`), link('h', 'l')], [file('h', 'x')]],
    check: (rootfs, { outside }) => {
      assert.equal(readlinkSync(join(rootfs, 'l')), `${outside}/canary`);
      assert.equal(content(rootfs, 'h'), 'x');
    },
  },
  {
    name: 'a hard link to a directory',
    layers: () => [[directory('d'), link('h', 'd')]],
    refused: 'ERR_OCI_LAYER_INVALID',
  },
  {
    name: 'a whiteout through a link',
    layers: (outside) => [[symlink('l', outside)], [file('l/.wh.canary'), file('l/.wh..wh..opq')]],
  },
  {
    name: 'a whiteout with .. in its name',
    layers: () => [[file('outside/canary', 'x')], [file('../outside/.wh.canary')]],
    check: (rootfs) => absent(join(rootfs, 'outside/canary')),
  },
  {
    name: 'the whiteout of ..',
    layers: () => [[directory('a'), file('a/.wh...')]],
    refused: 'ERR_OCI_LAYER_ESCAPE',
  },
  {
    name: 'the whiteout of .',
    layers: () => [[directory('a'), file('a/.wh..')]],
    refused: 'ERR_OCI_LAYER_ESCAPE',
  },
  { name: 'a whiteout of nothing', layers: () => [[file('a/.wh.')]], refused: 'ERR_OCI_LAYER_INVALID' },
  {
    name: 'a whiteout of a link to a directory outside removes the link only',
    layers: (outside) => [
      [symlink('l', outside), symlink('m', outside)],
      [file('.wh.l'), file('.wh..wh..opq')],
    ],
    check: (rootfs) => assert.deepEqual([...snapshot(rootfs).keys()], ['.']),
  },
  {
    name: 'an opaque directory with links outside in it',
    layers: (outside) => [
      [directory('d'), symlink('d/l', outside), directory('d/e'), symlink('d/e/l', outside)],
      [file('d/.wh..wh..opq')],
    ],
    check: (rootfs) => assert.deepEqual([...snapshot(rootfs).keys()], ['.', 'd']),
  },
  {
    name: 'the root as a link',
    layers: (outside) => [[symlink('./', outside)]],
    refused: 'ERR_OCI_LAYER_ESCAPE',
  },
  {
    name: 'the root as a link, by ..',
    layers: (outside) => [[symlink('a/../..', outside)]],
    refused: 'ERR_OCI_LAYER_ESCAPE',
  },
  { name: 'the root as a file', layers: () => [[file('/')]], refused: 'ERR_OCI_LAYER_ESCAPE' },
  {
    name: 'the root as a hard link',
    layers: (outside) => [[link('.', outside)]],
    refused: 'ERR_OCI_LAYER_ESCAPE',
  },
  {
    name: 'a fifo is replaced, never opened',
    layers: () => [[fifo('p')], [file('p', 'x')]],
    check: (rootfs) => assert.equal(content(rootfs, 'p'), 'x'),
  },
  {
    name: 'links that never end',
    layers: () => [[symlink('a', 'b'), symlink('b', 'a'), file('a/x', 'x')]],
    refused: 'ERR_OCI_LAYER_INVALID',
  },
  {
    name: 'a name that is too long',
    layers: () => [[file('x'.repeat(300))]],
    refused: 'ERR_OCI_LAYER_INVALID',
  },
  {
    name: 'a path that is too long',
    layers: () => [[file('x/'.repeat(2_100))]],
    refused: 'ERR_OCI_LAYER_INVALID',
  },
  {
    name: 'a path that is too deep',
    layers: () => [[file(`${'x/'.repeat(600)}y`)]],
    refused: 'ERR_OCI_LAYER_INVALID',
  },
  {
    name: 'a path that links make too deep',
    layers: () => [
      [directory('a/'.repeat(300)), symlink('l', 'a/'.repeat(300)), file(`l/${'b/'.repeat(300)}y`)],
    ],
    refused: 'ERR_OCI_LAYER_INVALID',
  },
  { name: 'a name with NUL', layers: () => [[file('etc\0/x')]], refused: 'ERR_OCI_LAYER_INVALID' },
  {
    name: 'a device number out of range',
    layers: () => [[characterDevice('d', { deviceMajor: 5_000 })]],
    ...(process.getuid?.() === 0 ? { refused: 'ERR_OCI_LAYER_INVALID' } : {}),
  },
  {
    name: 'names that only differ in case or in Unicode form are different files',
    layers: () => [[file('a', '1'), file('A', '2'), file('\u00e9', '3'), file('e\u0301', '4')]],
    check: (rootfs) => assert.equal([...snapshot(rootfs).keys()].length, 5),
  },
];

for (const openat2 of [true, false]) {
  for (const { name, layers, refused, check } of attacks) {
    test(`attack: ${name} (${openat2 ? 'openat2' : 'walk'})`, { skip }, () => {
      using place = playground();
      mkdirSync(place.rootfs);
      mkdirSync(place.outside, { mode: 0o750 });
      writeFileSync(join(place.outside, 'canary'), 'alive', { mode: 0o640 });
      const before = [...snapshot(place.outside)];
      const apply = () =>
        applyLayers(place.rootfs, layers(place.outside), { operations: linuxOperations({ openat2 }) });
      if (refused === undefined) apply();
      else assert.throws(apply, (error) => isOciError(error, refused));
      check?.(place.rootfs, place);
      assert.deepEqual([...snapshot(place.outside)], before);
      assert.equal(lstatSync(join(place.outside, 'canary')).nlink, 1);
    });
  }
}
