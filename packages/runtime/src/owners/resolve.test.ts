import assert from 'node:assert/strict';
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { close, constants, fstat, hasOpenat2, openat } from '@ocijs/linux';
import { openWithin } from './resolve.ts';

const { AT_FDCWD, O_DIRECTORY, O_PATH } = constants;
const skip = hasOpenat2() ? false : 'needs Linux with openat2';
let directory = '';

before(() => {
  if (skip !== false) return;
  directory = mkdtempSync(join(tmpdir(), 'oci-owners-'));
  mkdirSync(join(directory, 'root/a/b/c'), { recursive: true });
  for (const name of ['secret', 'root/secret', 'root/a/file', 'root/a/b/file'])
    writeFileSync(join(directory, name), name);
  const links = {
    'a/up': '../secret',
    'a/high': '../../../../../../secret',
    'a/absolute': '/secret',
    'a/b/chain': '../up',
    'a/loop': 'loop',
    'a/real': `${directory}/secret`,
    'a/folder': '../a/b',
  };
  for (const [name, target] of Object.entries(links)) symlinkSync(target, join(directory, 'root', name));
});
after(() => {
  if (directory !== '') rmSync(directory, { recursive: true });
});

/** The file that a path leads to, by the name that it has in the test's directory. */
function found(path: string, { start = 'root/a', follows = true } = {}): string | undefined {
  const open = (name: string): number =>
    openat(AT_FDCWD, join(directory, name), { flags: O_PATH | O_DIRECTORY });
  const text = Buffer.from(`${path}\0`);
  const fd = openWithin(text, { openRoot: () => open('root'), openStart: () => open(start), follows });
  if (fd === undefined) return undefined;
  const { ino, mode } = fstat(fd);
  close(fd);
  if ((mode & constants.S_IFMT) === constants.S_IFLNK) return 'a link';
  const names = [
    'secret',
    'root',
    'root/secret',
    'root/a',
    'root/a/file',
    'root/a/b',
    'root/a/b/file',
    'root/a/b/c',
  ];
  return names.find((name) => statSync(join(directory, name), { bigint: true }).ino === ino) ?? 'another';
}

test('paths are those of a process with this root directory', { skip }, () => {
  const inside = 'root/secret';
  const expected: Readonly<Record<string, string | undefined>> = {
    '/secret': inside,
    '/../../secret': inside,
    file: 'root/a/file',
    './/b/./file': 'root/a/b/file',
    '../secret': inside,
    '../../../../secret': inside,
    '..': 'root',
    '../..': 'root',
    '../a': 'root/a',
    '../a/': 'root/a',
    '.': 'root/a',
    up: inside,
    high: inside,
    absolute: inside,
    'b/chain': inside,
    '../a/b/chain': inside,
    '../a/folder/file': 'root/a/b/file',
    'folder/../file': 'root/a/file',
    '../a/b/c/../../file': 'root/a/file',
    loop: undefined,
    '../a/loop': undefined,
    '../missing': undefined,
    '../a/file/': undefined,
    '../a/file/.': undefined,
    '../a/file/..': undefined,
    real: undefined,
    '../a/real': undefined,
  };
  for (const [path, name] of Object.entries(expected)) assert.equal(found(path), name, path);
});

test('a link at the end is followed when that is asked for, or a slash is behind it', { skip }, () => {
  const follows = false;
  for (const path of ['up', '/a/up', '../a/up', '../a/folder'])
    assert.equal(found(path, { follows }), 'a link', path);
  for (const path of ['folder/', '/a/folder/', '../a/folder/'])
    assert.equal(found(path, { follows }), 'root/a/b', path);
});

test('a directory that lies outside of the root is where it is, and nothing above the root is', {
  skip,
}, () => {
  assert.equal(found('secret', { start: '.' }), 'secret');
  assert.equal(found('root/a/absolute', { start: '.' }), 'root/secret');
  assert.equal(found('../secret', { start: 'root' }), 'root/secret');
});

test('a path of many names and links ends', { skip }, () => {
  mkdirSync(join(directory, 'root/many'));
  let target = '.';
  for (let index = 0; index < 45; index += 1) {
    symlinkSync(target, join(directory, `root/many/${index}`));
    target = String(index);
  }
  assert.equal(found('../many/38') === 'another', true);
  assert.equal(found('../many/44'), undefined);
  symlinkSync('wide/'.repeat(800), join(directory, 'root/many/wide'));
  assert.equal(found('../many/wide'), undefined);
});

test('directories that are moved meanwhile do not lead out', { skip }, () => {
  for (let round = 0; round < 50; round += 1) {
    assert.notEqual(found('b/c/../../../../secret'), 'secret');
    renameSync(join(directory, 'root/a/b/c'), join(directory, 'root/moved'));
    assert.equal(found('../../../../../secret', { start: 'root/moved' }), 'root/secret');
    renameSync(join(directory, 'root/moved'), join(directory, 'root/a/b/c'));
  }
});

test('links of /proc lead nowhere', { skip }, () => {
  symlinkSync('/proc/self/root', join(directory, 'root/a/proc'));
  linkSync(join(directory, 'root/a/file'), join(directory, 'root/a/linked'));
  assert.equal(found('../a/proc/secret'), undefined);
  const open = (): number => openat(AT_FDCWD, '/', { flags: O_PATH | O_DIRECTORY });
  for (const path of [
    '/proc/self/cwd/x',
    `/proc/self/root${directory}/secret`,
    'proc/self/root/etc',
    '../proc/self/root/etc',
  ])
    assert.equal(
      openWithin(Buffer.from(`${path}\0`), { openRoot: open, openStart: open, follows: true }),
      undefined,
      path,
    );
});
