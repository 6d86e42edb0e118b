import assert from 'node:assert/strict';
import { lstatSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fchmod, fchmodat, fchownat, futimens, utimensat } from './attributes.ts';
import { constants } from './constants.ts';
import { linkat, mkdirat, mknodat, symlinkat } from './create.ts';
import { listdir, readlinkat } from './directory.ts';
import { ftruncate, pwrite, write } from './file.ts';
import { available } from './library.ts';
import { nameFromBytes } from './names.ts';
import { close, openat } from './open.ts';
import { renameat, unlinkat } from './remove.ts';
import { fstat, fstatat } from './stat.ts';

const { AT_FDCWD, AT_SYMLINK_NOFOLLOW, AT_REMOVEDIR, O_CREAT, O_EXCL, O_WRONLY, O_RDONLY, O_DIRECTORY } =
  constants;
const { S_IFMT, S_IFIFO, S_IFCHR, S_IFLNK, S_IFDIR } = constants;
const skip = available() ? false : 'needs Linux';
const nofollow = { flags: AT_SYMLINK_NOFOLLOW };

let path = '';
let directory = -1;
before(() => {
  if (skip !== false) return;
  path = mkdtempSync(join(tmpdir(), 'ocijs-linux-'));
  directory = openat(AT_FDCWD, path, { flags: O_RDONLY | O_DIRECTORY });
});
after(() => {
  if (skip !== false) return;
  close(directory);
  rmSync(path, { recursive: true });
});

function create(name: string, mode = 0o600): number {
  return openat(directory, name, { flags: O_CREAT | O_EXCL | O_WRONLY, mode });
}

test('a file is created, written, given mode and times to the nanosecond, and renamed', { skip }, () => {
  const fd = create('a');
  assert.equal(write(fd, Buffer.from('hello')), 5);
  assert.equal(pwrite(fd, Buffer.from('xxELLxx').subarray(2, 5), 1), 3);
  assert.equal(write(fd, Buffer.of()), 0);
  assert.equal(readFileSync(join(path, 'a'), 'utf8'), 'hELLo');
  ftruncate(fd, 10_000_000);
  fchmod(fd, { mode: 0o4751 });
  futimens(fd, { atimeNs: -1n, mtimeNs: 1_600_000_000_123_456_789n });
  const status = fstat(fd);
  close(fd);
  assert.equal(status.mode, 0o104751);
  assert.equal(status.size, 10_000_000);
  assert.equal(status.mtimeNs, 1_600_000_000_123_456_789n);
  assert.equal(status.atimeNs, -1n);
  assert.equal(lstatSync(join(path, 'a'), { bigint: true }).ino, status.ino);
  assert.ok(lstatSync(join(path, 'a')).blocks < 1_000, 'growing leaves a hole');
  renameat({ directory, path: 'a' }, { directory, path: 'b' });
  assert.throws(() => fstatat(directory, 'a'), { code: 'ENOENT' });
  unlinkat(directory, 'b');
});

test('links: symbolic ones keep their target, hard ones name the link itself', { skip }, () => {
  symlinkat('../nowhere', directory, 'link');
  linkat({ directory, path: 'link' }, { directory, path: 'hard' });
  assert.equal(readlinkat(directory, 'hard'), '../nowhere');
  const status = fstatat(directory, 'hard', nofollow);
  assert.equal(status.nlink, 2);
  assert.equal(status.mode & S_IFMT, S_IFLNK);
  utimensat(directory, 'link', { atimeNs: 0n, mtimeNs: -1_500_000_000n, ...nofollow });
  assert.equal(fstatat(directory, 'hard', nofollow).mtimeNs, -1_500_000_000n);
  assert.throws(() => linkat({ directory, path: 'missing' }, { directory, path: 'x' }), { code: 'ENOENT' });
  assert.throws(() => symlinkat('x', directory, 'link'), { code: 'EEXIST' });
});

test('names that are not UTF-8 come back byte for byte', { skip }, () => {
  const bytes = Buffer.from('6cffc3a9fe', 'hex');
  mkdirat(directory, bytes, { mode: 0o700 });
  const name = nameFromBytes(bytes);
  assert.ok(listdir(directory).includes(name));
  assert.equal(fstatat(directory, name).mode, S_IFDIR | 0o700);
  symlinkat(name, directory, 'to-bytes');
  assert.equal(readlinkat(directory, 'to-bytes'), name);
  unlinkat(directory, name, { flags: AT_REMOVEDIR });
  assert.throws(() => fstatat(directory, bytes), { code: 'ENOENT' });
});

test('listdir reads big directories, again and again', { skip }, () => {
  mkdirat(directory, 'many', { mode: 0o700 });
  const many = openat(directory, 'many', { flags: O_RDONLY | O_DIRECTORY });
  const names = Array.from({ length: 3_000 }, (_, index) => `a-rather-long-name-of-a-file-${index}`).sort();
  for (const name of names) close(openat(many, name, { flags: O_CREAT | O_WRONLY, mode: 0o600 }));
  assert.deepEqual(listdir(many).sort(), names);
  assert.deepEqual(listdir(many).sort(), names);
  close(many);
});

test('fifos need no privilege, modes and types are kept', { skip }, () => {
  mknodat(directory, 'fifo', { mode: S_IFIFO | 0o600 });
  fchmodat(directory, 'fifo', { mode: 0o640 });
  assert.equal(fstatat(directory, 'fifo').mode, S_IFIFO | 0o640);
});

const notRoot = process.getuid?.() === 0 ? false : 'needs root';
test('devices and owners', { skip: skip || notRoot }, (t) => {
  try {
    mknodat(directory, 'device', { mode: S_IFCHR | 0o600, major: 0x123, minor: 0x45678 });
  } catch (error) {
    if ((error as { code?: string }).code === 'EPERM') return t.skip('mknod is forbidden here');
    throw error;
  }
  const { rdevMajor, rdevMinor } = fstatat(directory, 'device');
  assert.deepEqual([rdevMajor, rdevMinor], [0x123, 0x45678]);
  fchownat(directory, 'device', { uid: 3_000_000_000, gid: 7, ...nofollow });
  const { uid, gid } = fstatat(directory, 'device');
  assert.deepEqual([uid, gid], [3_000_000_000, 7]);
});

test('a device as an ordinary user gives EPERM', {
  skip: skip || (notRoot === false && 'needs an ordinary user'),
}, () => {
  assert.throws(() => mknodat(directory, 'device', { mode: S_IFCHR | 0o600, major: 1, minor: 3 }), {
    code: 'EPERM',
  });
});

test('device numbers beyond the kernel encoding are refused', { skip }, () => {
  assert.throws(() => mknodat(directory, 'big', { mode: S_IFCHR, major: 4_096 }), RangeError);
  assert.throws(() => mknodat(directory, 'big', { mode: S_IFCHR, minor: -1 }), RangeError);
});

test('chown to oneself works for everybody', { skip }, () => {
  close(create('mine'));
  fchownat(directory, 'mine', { uid: process.getuid?.() ?? 0, gid: 4_294_967_295 });
  assert.equal(readFileSync(join(path, 'mine'), 'utf8'), '');
});
