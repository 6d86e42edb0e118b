import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { constants } from './constants.ts';
import { available } from './library.ts';
import { close, hasOpenat2, openat, openat2 } from './open.ts';

const { O_PATH, O_RDONLY, O_DIRECTORY, O_NOFOLLOW, AT_FDCWD } = constants;
const { RESOLVE_BENEATH, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS } = constants;
const skip = available() && hasOpenat2() ? false : 'needs Linux with openat2';

let directory = '';
let root = -1;

before(() => {
  if (skip !== false) return;
  directory = mkdtempSync(join(tmpdir(), 'ocijs-linux-'));
  mkdirSync(join(directory, 'root/etc'), { recursive: true });
  writeFileSync(join(directory, 'outside'), 'outside');
  writeFileSync(join(directory, 'root/outside'), 'inside');
  writeFileSync(join(directory, 'root/etc/x'), 'x');
  symlinkSync('/etc/x', join(directory, 'root/absolute'));
  symlinkSync('../../outside', join(directory, 'root/up'));
  symlinkSync('loop', join(directory, 'root/loop'));
  symlinkSync(`/proc/self/fd/0`, join(directory, 'root/magic'));
  root = openat(AT_FDCWD, join(directory, 'root'), { flags: O_PATH | O_DIRECTORY });
});
after(() => {
  if (root >= 0) close(root);
  if (directory !== '') rmSync(directory, { recursive: true });
});

function read(path: string, resolve: number): string {
  const fd = openat2(root, path, { flags: O_RDONLY, resolve });
  try {
    return readFileSync(fd, 'utf8');
  } finally {
    close(fd);
  }
}

test('RESOLVE_IN_ROOT makes the directory the root of links and of ..', { skip }, () => {
  assert.equal(read('absolute', RESOLVE_IN_ROOT), 'x');
  assert.equal(read('up', RESOLVE_IN_ROOT), 'inside');
  assert.equal(read('/../../outside', RESOLVE_IN_ROOT), 'inside');
});

test('RESOLVE_BENEATH refuses to leave with EXDEV', { skip }, () => {
  for (const path of ['../outside', '/etc/x', 'up', 'absolute']) {
    assert.throws(() => read(path, RESOLVE_BENEATH), {
      name: 'SystemCallError',
      code: 'EXDEV',
      syscall: 'openat2',
    });
  }
});

test('links that are forbidden or endless give ELOOP', { skip }, () => {
  assert.throws(() => read('absolute', RESOLVE_NO_SYMLINKS), { code: 'ELOOP' });
  assert.throws(() => read('loop', RESOLVE_IN_ROOT), { code: 'ELOOP' });
  assert.throws(() => openat(root, 'absolute', { flags: O_RDONLY | O_NOFOLLOW }), { code: 'ELOOP' });
  assert.throws(
    () => openat2(AT_FDCWD, '/proc/self/fd/0', { flags: O_PATH, resolve: RESOLVE_NO_MAGICLINKS }),
    {
      code: 'ELOOP',
    },
  );
});

test('errors name the call, the errno and the path', { skip }, () => {
  assert.throws(() => openat(root, 'missing', { flags: O_RDONLY }), {
    message: 'openat "missing": ENOENT',
    code: 'ENOENT',
    errno: 2,
    path: 'missing',
  });
  assert.throws(() => close(-1), { code: 'EBADF' });
});

test('a NUL inside a path is refused, not taken for its end', { skip }, () => {
  assert.throws(() => openat(root, 'etc\0/x', { flags: O_RDONLY }), { code: 'EINVAL' });
  assert.throws(() => openat(root, Buffer.from('etc\0'), { flags: O_RDONLY }), { code: 'EINVAL' });
});
