import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TarWriteEntry } from '@ocijs/image';
import { available, constants, lsetxattr, mknodat } from '@ocijs/linux';
import { playground } from '../rootfs/testing/snapshot.ts';
import { overlayEntries } from './overlay-upper.ts';

const skip = !available() ? 'needs Linux' : process.getuid?.() !== 0 && 'needs root';
const mark = (path: string, name: string, value = 'y'): void =>
  lsetxattr(path, { name, value: Buffer.from(value) });

function namesOf(upper: string): string[] {
  return [...overlayEntries(upper)].map(({ header }: TarWriteEntry) => header.name);
}

test('whiteouts and opaque directories of overlayfs become those of layers', { skip }, () => {
  using place = playground();
  const at = (path: string): string => join(place.rootfs, path);
  for (const path of ['', 'opaque', 'user', 'plain']) mkdirSync(at(path));
  writeFileSync(at('plain/file'), 'x');
  writeFileSync(at('opaque/new'), 'x');
  mknodat(constants.AT_FDCWD, at('plain/gone'), { mode: constants.S_IFCHR });
  mknodat(constants.AT_FDCWD, at('plain/null'), { mode: constants.S_IFCHR | 0o666, major: 1, minor: 3 });
  writeFileSync(at('plain/marked'), '');
  mark(at('plain/marked'), 'trusted.overlay.whiteout');
  mark(at('opaque'), 'trusted.overlay.opaque');
  mark(at('user'), 'user.overlay.opaque');
  mark(at('plain'), 'trusted.overlay.origin', 'x');
  mark(at('plain'), 'user.kept', '1');
  assert.deepEqual(namesOf(place.rootfs), [
    'opaque/',
    'opaque/.wh..wh..opq',
    'opaque/new',
    'plain/',
    'plain/file',
    'plain/.wh.gone',
    'plain/.wh.marked',
    'plain/null',
    'user/',
    'user/.wh..wh..opq',
  ]);
  const plain = [...overlayEntries(place.rootfs)].find(({ header }) => header.name === 'plain/');
  assert.deepEqual([...(plain?.header.xattrs?.keys() ?? [])], ['user.kept']);
});

test('what refers to lower directories is refused', { skip }, () => {
  for (const name of ['trusted.overlay.redirect', 'user.overlay.metacopy']) {
    using place = playground();
    mkdirSync(join(place.rootfs, 'd'), { recursive: true });
    mark(join(place.rootfs, 'd'), name, '/elsewhere');
    assert.throws(() => namesOf(place.rootfs), {
      code: 'ERR_OCI_REPACK_FAILED',
      message: /refers to the lower/,
    });
  }
});
