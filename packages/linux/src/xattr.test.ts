import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { constants } from './constants.ts';
import { isSystemCallError } from './errors.ts';
import { available } from './library.ts';
import { close, openat } from './open.ts';
import {
  fgetxattr,
  flistxattr,
  fremovexattr,
  fsetxattr,
  lgetxattr,
  llistxattr,
  lremovexattr,
  lsetxattr,
} from './xattr.ts';

let path = '';
let skip: string | false = available() ? false : 'needs Linux';
if (skip === false) {
  path = mkdtempSync(join(tmpdir(), 'ocijs-linux-'));
  writeFileSync(join(path, 'f'), '');
  try {
    lsetxattr(join(path, 'f'), { name: 'user.probe', value: Buffer.of() });
    lremovexattr(join(path, 'f'), 'user.probe');
  } catch (error) {
    if (!isSystemCallError(error, 'ENOTSUP')) throw error;
    skip = 'the temporary directory has no user extended attributes';
  }
}
let file = '';
before(() => {
  file = join(path, 'f');
});
after(() => {
  if (path !== '') rmSync(path, { recursive: true });
});

const binary = Buffer.from([0, 1, 0xff, 0, 0xc3, 0x28]);

test('values are bytes, NUL included', { skip }, () => {
  lsetxattr(file, { name: 'user.binary', value: binary });
  lsetxattr(file, { name: 'user.empty', value: Buffer.of() });
  assert.deepEqual(lgetxattr(file, 'user.binary'), binary);
  assert.deepEqual(lgetxattr(file, 'user.empty'), Buffer.of());
  assert.equal(lgetxattr(file, 'user.none'), undefined);
  assert.deepEqual(
    llistxattr(file)
      .filter((name) => name.startsWith('user.'))
      .sort(),
    ['user.binary', 'user.empty'],
  );
  lremovexattr(file, 'user.empty');
  assert.throws(() => lremovexattr(file, 'user.empty'), { code: 'ENODATA' });
});

test('the same through a descriptor', { skip }, () => {
  const fd = openat(constants.AT_FDCWD, file, { flags: constants.O_RDONLY });
  try {
    fsetxattr(fd, { name: 'user.fd', value: binary, flags: constants.XATTR_CREATE });
    assert.throws(() => fsetxattr(fd, { name: 'user.fd', value: binary, flags: constants.XATTR_CREATE }), {
      code: 'EEXIST',
    });
    assert.deepEqual(fgetxattr(fd, 'user.fd'), binary);
    assert.ok(flistxattr(fd).includes('user.fd'));
    fremovexattr(fd, 'user.fd');
    assert.equal(fgetxattr(fd, 'user.fd'), undefined);
  } finally {
    close(fd);
  }
});

test('a link at the end is not followed', { skip }, () => {
  symlinkSync('f', join(path, 'link'));
  assert.throws(() => lsetxattr(join(path, 'link'), { name: 'user.x', value: binary }), { code: 'EPERM' });
});
