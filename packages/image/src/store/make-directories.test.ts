import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeDirectories } from './make-directories.ts';

test('directories are made with those above, by several at once, and where they are nothing happens', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'oci-make-directories-'));
  try {
    const path = join(directory, 'a/b/c');
    for (let round = 0; round < 100; round += 1) {
      await rm(join(directory, 'a'), { recursive: true, force: true });
      await Promise.all(Array.from({ length: 8 }, () => makeDirectories(path, 0o750)));
    }
    assert.equal((await stat(path)).mode & 0o777, 0o750);
    await symlink(path, join(directory, 'link'));
    await makeDirectories(join(directory, 'link'), 0o700);
    await writeFile(join(directory, 'file'), '');
    await assert.rejects(makeDirectories(join(directory, 'file'), 0o700), { code: 'EEXIST' });
    await assert.rejects(makeDirectories(join(directory, 'file/below'), 0o700), { code: 'ENOTDIR' });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

test('where nothing can be made it ends', {
  skip: process.platform === 'linux' ? false : 'needs /proc',
}, async () => {
  await assert.rejects(makeDirectories('/proc/nothing/like/it', 0o700), { code: 'ENOENT' });
});
