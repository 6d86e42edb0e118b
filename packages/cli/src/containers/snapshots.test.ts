import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseDigest } from '@ocijs/image';
import { removeUnusedSnapshots, snapshotsDirectory } from './snapshots.ts';

const skip = process.platform === 'linux' ? false : 'needs Linux';
const suffix = process.geteuid?.() === 0 ? '' : '.user';
const hex = (digit: string): string => digit.repeat(64);

test('snapshots of containers stay, also while a container is being made', { skip }, async () => {
  const store = await mkdtemp(join(tmpdir(), 'oci-snapshots-'));
  try {
    assert.deepEqual(await removeUnusedSnapshots(store), []);
    const layers = join(snapshotsDirectory(store), 'sha256');
    await mkdir(snapshotsDirectory(store), { mode: 0o700 });
    for (const digit of ['1', '2', '3']) await mkdir(join(layers, hex(digit) + suffix), { recursive: true });
    // No container.json: that of a container comes later.
    const bundle = join(store, 'containers', hex('a'), 'bundle');
    await mkdir(bundle, { recursive: true });
    await mkdir(join(store, 'containers', 'names'));
    const record = { version: 1, kind: 'overlay', chainIds: [`sha256:${hex('2')}`] };
    await writeFile(join(bundle, 'rootfs.json'), JSON.stringify(record));
    const keep = [parseDigest(`sha256:${hex('3')}`)];
    const expected = [`sha256:${hex('1')}`];
    assert.deepEqual(await removeUnusedSnapshots(store, { keep, dryRun: true }), expected);
    assert.equal((await readdir(layers)).length, 3);
    assert.deepEqual(await removeUnusedSnapshots(store, { keep }), expected);
    assert.deepEqual(await readdir(layers), [hex('2') + suffix, hex('3') + suffix]);
  } finally {
    await rm(store, { recursive: true, force: true });
  }
});
