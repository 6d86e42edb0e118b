import assert from 'node:assert/strict';
import { existsSync, lstatSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { isOciError } from '@ocijs/image';
import { missing } from '../../kit/requirements.ts';
import { arena, directory, file, type HostileLayer, link, symlink } from './arena.ts';

const skip = missing({ root: true });
const up = '../'.repeat(40);
const owned = { uid: 12, gid: 34, mode: 0o7777, mtimeNs: 1n };

interface Attack {
  readonly name: string;
  layers(outside: string): readonly HostileLayer[];
  /** How it is refused; without it the image is unpacked, all of it inside. */
  readonly refused?: RegExp;
  check?(rootfs: string, outside: string): void;
}

const content = (...parts: readonly string[]): string => readFileSync(join(...parts), 'utf8');

const attacks: Readonly<Record<string, readonly Attack[]>> = {
  'attack 1: names that lead out (CVE-2014-9356, CVE-2020-10696)': [
    {
      name: 'by ..',
      layers: () => [[file('../outside/canary'), file(`${up}outside/new`), directory(`${up}etc`, owned)]],
      check: (rootfs) => assert.equal(content(rootfs, 'outside/canary'), 'x'),
    },
    {
      name: 'by an absolute name',
      layers: (outside) => [[file(`${outside}/canary`), file('//etc/passwd')]],
      check: (rootfs) => assert.equal(content(rootfs, 'etc/passwd'), 'x'),
    },
  ],
  'attack 2: writing through a link (CVE-2014-9356, CVE-2026-42574, CVE-2024-12905)': [
    {
      name: 'in the same layer',
      layers: (outside) => [[symlink('l', outside), file('l/canary'), file('l/new')]],
    },
    {
      name: 'in a later layer, and a directory in the place of the link',
      layers: (outside) => [
        [symlink('l', outside), symlink('m', outside)],
        [file('l/canary'), directory('m', owned), file('m/new')],
      ],
      check: (rootfs) => assert.ok(lstatSync(join(rootfs, 'm')).isDirectory()),
    },
    {
      name: 'through the process file system',
      layers: () => [
        [symlink('l', '/proc/self/cwd'), file('l/new'), symlink('m', '/proc/1/root'), file('m/etc/x')],
      ],
    },
  ],
  'attack 3: a chain of links whose text stays inside (GHSA-m37j-52j7-pjw7)': [
    {
      name: 'three links deep',
      layers: (outside) => [
        [
          directory('a/b/c'),
          symlink('a/b/c/up', '../..'),
          symlink('a/one', 'b/c/up/..'),
          symlink('a/two', `one/${up}${outside}`),
          file('a/two/canary'),
        ],
      ],
    },
  ],
  'attack 5: the root as something else (CVE-2021-29136)': [
    { name: 'a link', layers: (outside) => [[symlink('/.', outside), file('canary')]], refused: /ESCAPE/ },
    { name: 'a file', layers: () => [[file('./')]], refused: /ESCAPE|TAR_INVALID/ },
    { name: 'a whiteout', layers: () => [[file('.wh..'), file('.wh...')]], refused: /ESCAPE/ },
  ],
  'attack 6: hard links to files outside (CVE-2021-21272, CVE-2025-48387, CVE-2026-23745)': [
    { name: 'absolute', layers: (outside) => [[link('l', `${outside}/canary`)]], refused: /LAYER_INVALID/ },
    { name: 'by ..', layers: () => [[link('d/l', `${up}outside/canary`)]], refused: /LAYER_INVALID/ },
    {
      name: 'through a link',
      layers: (outside) => [[symlink('s', outside), link('l', 's/canary')]],
      refused: /LAYER_INVALID/,
    },
    {
      name: 'to a link, which is then written to',
      layers: (outside) => [[symlink('s', `${outside}/canary`), link('l', 's')], [file('l', 'mine', owned)]],
      check: (rootfs, outside) => assert.equal(readlinkSync(join(rootfs, 's')), `${outside}/canary`),
    },
    {
      name: 'before its target exists',
      layers: () => [[link('l', 'later'), file('later')]],
      refused: /LAYER_INVALID/,
    },
  ],
  'attack 8: names with drives and shares (CVE-2026-29786, CVE-2026-31802)': [
    {
      name: 'are names like others',
      layers: () => [
        [file('C:\\..\\..\\x'), file('\\\\host\\share\\x'), file('c:../../x'), file('///..//./y')],
      ],
      check(rootfs) {
        assert.equal(content(rootfs, 'C:\\..\\..\\x'), 'x');
        assert.equal(content(rootfs, 'x'), 'x');
        assert.equal(content(rootfs, 'y'), 'x');
      },
    },
  ],
  'attack 10: metadata through links (CVE-2021-32760)': [
    {
      name: 'owner, mode and times of a link are its own',
      layers: (outside) => [[symlink('l', `${outside}/canary`, owned)], [symlink('l', outside, owned)]],
      check: (rootfs) => assert.equal(lstatSync(join(rootfs, 'l')).uid, owned.uid),
    },
    {
      name: 'attributes of a link',
      layers: (outside) => [
        [symlink('l', `${outside}/canary`, { xattrs: new Map([['trusted.x', Buffer.from('y')]]) })],
      ],
    },
  ],
  'attack 11: whiteouts that lead out (image-spec layer.md)': [
    {
      name: 'through a link, by .. and by an absolute name',
      layers: (outside) => [
        [
          symlink('l', outside),
          file('l/.wh.canary'),
          file('../outside/.wh.canary'),
          file(`${outside}/.wh.canary`),
        ],
      ],
    },
    {
      name: 'an opaque directory that is a link',
      layers: (outside) => [[symlink('l', outside)], [file('l/.wh..wh..opq'), file('.wh..wh..opq')]],
      check: (rootfs) => assert.equal(existsSync(join(rootfs, 'l')), false),
    },
    { name: 'of nothing', layers: () => [[file('d/.wh.')]], refused: /LAYER_INVALID/ },
    { name: 'of ..', layers: () => [[directory('d'), file('d/.wh...')]], refused: /ESCAPE/ },
    {
      name: 'of what is a directory or a file by turns',
      layers: () => [
        [file('d/x')],
        [file('d')],
        [directory('d'), file('d/y')],
        [file('.wh.d')],
        [file('d/z')],
      ],
      check: (rootfs) =>
        assert.deepEqual([existsSync(join(rootfs, 'd/x')), content(rootfs, 'd/z')], [false, 'x']),
    },
  ],
};

for (const [title, cases] of Object.entries(attacks)) {
  describe(title, { skip }, () => {
    for (const { name, layers, refused, check } of cases) {
      test(name, async () => {
        await using at = await arena();
        const outcome = at.attack(layers(at.outside));
        if (refused === undefined) {
          const { rootfs } = await outcome;
          check?.(rootfs, at.outside);
        } else {
          await assert.rejects(outcome, (error) => isOciError(error) && refused.test(error.code));
          assert.equal(existsSync(at.target), false);
        }
        await at.check();
      });
    }
  });
}
