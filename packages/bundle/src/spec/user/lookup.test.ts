import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { userDatabaseSizeLimit } from '../limits.ts';
import { lookupUser } from './lookup.ts';
import { readFileInRoot } from './read-in-root.ts';

let directory: string;
let root: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'oci-lookup-'));
  root = join(directory, 'rootfs');
  mkdirSync(join(root, 'etc'), { recursive: true });
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('reads the databases of the root file system', () => {
  writeFileSync(join(root, 'etc/passwd'), 'app:x:1000:1001::/home/app:/bin/sh\n');
  writeFileSync(join(root, 'etc/group'), 'logs:x:77:app\n');
  assert.deepEqual(lookupUser(root, 'app'), {
    uid: 1000,
    gid: 1001,
    additionalGids: [77],
    home: '/home/app',
  });
});

test('a root without databases knows ids only', () => {
  assert.equal(lookupUser(root, '5').uid, 5);
  assert.throws(() => lookupUser(root, 'app'), { code: 'ERR_OCI_USER_NOT_FOUND' });
});

test('symbolic links are followed inside the root and never out of it', () => {
  writeFileSync(join(directory, 'passwd'), 'evil:x:0:0::/:\n');
  mkdirSync(join(root, 'usr/share'), { recursive: true });
  writeFileSync(join(root, 'usr/share/passwd'), 'good:x:9:9::/:\n');
  symlinkSync('/usr/share/passwd', join(root, 'etc/passwd'));
  assert.equal(lookupUser(root, 'good').uid, 9);

  for (const target of ['../../passwd', '../../../../passwd', join(directory, 'passwd')]) {
    rmSync(join(root, 'etc/passwd'));
    symlinkSync(target, join(root, 'etc/passwd'));
    assert.throws(() => lookupUser(root, 'evil'), { code: 'ERR_OCI_USER_NOT_FOUND' });
  }
});

test('a linked directory is resolved inside the root too', () => {
  mkdirSync(join(directory, 'etc'));
  writeFileSync(join(directory, 'etc/passwd'), 'evil:x:0:0::/:\n');
  rmSync(join(root, 'etc'), { recursive: true });
  symlinkSync('../etc', join(root, 'etc'));
  assert.throws(() => lookupUser(root, 'evil'), { code: 'ERR_OCI_UNPACK_DENIED' });
});

test('a link to itself ends', () => {
  symlinkSync('passwd', join(root, 'etc/passwd'));
  assert.throws(() => lookupUser(root, 'app'), { code: 'ERR_OCI_UNPACK_DENIED' });
});

test('a fifo does not block, a directory is no file', () => {
  execFileSync('mkfifo', [join(root, 'etc/passwd')]);
  assert.throws(() => lookupUser(root, 'app'), { code: 'ERR_OCI_UNPACK_DENIED' });
  rmSync(join(root, 'etc/passwd'));
  mkdirSync(join(root, 'etc/passwd'));
  assert.throws(() => lookupUser(root, 'app'), { code: 'ERR_OCI_UNPACK_DENIED' });
});

test('a file above the limit is refused', () => {
  writeFileSync(join(root, 'etc/passwd'), '');
  truncateSync(join(root, 'etc/passwd'), userDatabaseSizeLimit + 1);
  assert.throws(() => lookupUser(root, 'app'), { code: 'ERR_OCI_UNPACK_DENIED' });
});

test('a file used as a directory is a missing file', () => {
  writeFileSync(join(root, 'etc/passwd'), '');
  assert.equal(readFileInRoot(root, '/etc/passwd/x', { limit: 10 }), undefined);
  assert.equal(readFileInRoot(root, '/no/such', { limit: 10 }), undefined);
});
