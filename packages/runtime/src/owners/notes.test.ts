import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ownerNoteName, parseOwnerNote } from '@ocijs/bundle/spec';
import { close, constants, identityOf, lgetxattr, openat } from '@ocijs/linux';
import { mayHaveNote, type OpenFile, OwnerNotes } from './notes.ts';
import { rememberOwners } from './remembered.ts';

const skip = process.platform === 'linux' ? false : 'needs Linux';
let directory = '';

before(() => {
  directory = mkdtempSync(join(tmpdir(), 'oci-owners-'));
});
after(() => rmSync(directory, { recursive: true }));

function withFile<Result>(path: string, use: (file: OpenFile) => Result): Result {
  const { AT_FDCWD, O_NOFOLLOW, O_PATH } = constants;
  const fd = openat(AT_FDCWD, path, { flags: O_PATH | O_NOFOLLOW });
  try {
    const identity = identityOf(fd);
    assert.ok(identity);
    return use({ fd, identity });
  } finally {
    close(fd);
  }
}

test('an owner is noted at files and directories, root only where somebody else was', { skip }, () => {
  const notes = new OwnerNotes();
  const file = join(directory, 'file');
  writeFileSync(file, '');
  mkdirSync(join(directory, 'sub'));
  assert.equal(mayHaveNote(file), false);
  withFile(file, (open) => {
    assert.equal(notes.write(open, { uid: 0, gid: 0 }), 0);
    assert.equal(lgetxattr(file, ownerNoteName), undefined);
    assert.equal(notes.write(open, { uid: 33, gid: 0 }), 0);
    assert.deepEqual(notes.read(open), { uid: 33, gid: 0 });
    assert.deepEqual(parseOwnerNote(lgetxattr(file, ownerNoteName) ?? Buffer.of(9)), { uid: 33, gid: 0 });
    assert.equal(notes.write(open, { uid: 0, gid: 0 }), 0);
    assert.deepEqual(parseOwnerNote(lgetxattr(file, ownerNoteName) ?? Buffer.of(9)), { uid: 0, gid: 0 });
  });
  assert.equal(mayHaveNote(file), true);
  withFile(join(directory, 'sub'), (open) => {
    assert.equal(notes.write(open, { uid: 4_294_967_294, gid: 7 }), 0);
    assert.deepEqual(new OwnerNotes().read(open), { uid: 4_294_967_294, gid: 7 });
  });
  assert.equal(notes.remembers, false);
});

test('set-id bits go as they do for chown, of files alone', { skip }, () => {
  const notes = new OwnerNotes();
  const file = join(directory, 'set');
  writeFileSync(file, '');
  const after = (mode: number, path = file): number => {
    chmodSync(path, mode);
    withFile(path, (open) => assert.equal(notes.write(open, { uid: 5, gid: 5 }), 0));
    return statSync(path).mode & 0o7777;
  };
  assert.equal(after(0o6755), 0o755);
  assert.equal(after(0o2644), 0o2644);
  assert.equal(after(0o4000), 0);
  mkdirSync(join(directory, 'shared'));
  assert.equal(after(0o6755, join(directory, 'shared')), 0o6755);
});

test('of a link an owner is remembered, until another file has its place', { skip }, () => {
  const notes = new OwnerNotes();
  const link = join(directory, 'link');
  symlinkSync('x', link);
  withFile(link, (open) => {
    assert.equal(notes.write(open, { uid: 3, gid: 4 }), 0);
    assert.deepEqual(notes.read(open), { uid: 3, gid: 4 });
  });
  assert.equal(notes.remembers, true);
  unlinkSync(link);
  writeFileSync(link, '');
  assert.equal(
    withFile(link, (open) => notes.read(open)),
    undefined,
  );
});

test('owners that only the unpack knows are remembered for files that are there, in the root file system', {
  skip,
}, () => {
  const notes = new OwnerNotes();
  symlinkSync('/', join(directory, 'away'));
  symlinkSync('x', join(directory, 'own'));
  const files = ['own', 'missing', 'away/etc', '../x'].map((path) => ({ path, uid: 6, gid: 7 }));
  rememberOwners(notes, { rootfs: directory, files });
  assert.deepEqual(
    withFile(join(directory, 'own'), (open) => notes.read(open)),
    { uid: 6, gid: 7 },
  );
  assert.equal(
    withFile('/etc', (open) => notes.read(open)),
    undefined,
  );
});
