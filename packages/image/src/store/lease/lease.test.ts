import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { digestBytes } from '../../digest/hasher.ts';
import { layoutFilesOf } from '../layout-files.ts';
import { createToken } from '../lock/owner.ts';
import { createLayout, openStore } from '../open.ts';
import { scratch } from '../scratch.testkit.ts';
import { leaseFileName } from './lease-name.ts';
import { readLeases } from './read-leases.ts';

const digest = (text: string) => digestBytes(Buffer.from(text));
const a = digest('a');
const b = digest('b');

test('a lease is a file for as long as it is held', async () => {
  await using place = await scratch();
  await using store = await openStore(place.directory);
  const files = await layoutFilesOf(place.directory);
  {
    await using lease = await store.lease({ digests: [a], purpose: 'pull\nof x' });
    const [found] = await readLeases(files);
    assert.deepEqual([found?.pid, found?.purpose, found?.expired], [process.pid, 'pull of x', false]);
    assert.deepEqual([...(found?.digests ?? [])], [a]);
    await lease.add([b]);
    assert.deepEqual([...((await readLeases(files))[0]?.digests ?? [])], [a, b]);
  }
  assert.deepEqual(await readdir(join(place.directory, 'leases')), []);
});

test('a lease of a killed process has expired, one that cannot be seen is good for some minutes', {
  skip: process.platform === 'linux' ? false : 'needs /proc',
}, async () => {
  await using place = await scratch();
  await using store = await openStore(place.directory);
  const files = await layoutFilesOf(place.directory);
  await (await store.lease({ purpose: 'makes the directory' }))[Symbol.asyncDispose]();
  const child = spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' });
  await once(child, 'exit');
  const path = (token: string): string => join(place.directory, 'leases', leaseFileName(token));
  const dead = path(createToken().replace(/:\d+:\d+:/, `:${child.pid}:1:`));
  await writeFile(dead, `# dead\n${a}\n`);
  assert.deepEqual(
    (await readLeases(files)).map(({ expired }) => expired),
    [true],
  );
  await rm(dead);
  const unseen = path(createToken().replace(/:[0-9a-f]{16}:/, ':0123456789abcdef:'));
  await writeFile(unseen, `# unseen\n${a}\n`);
  assert.deepEqual(
    (await readLeases(files)).map(({ expired }) => expired),
    [false],
  );
  const before = new Date(Date.now() - 11 * 60_000);
  await utimes(unseen, before, before);
  assert.deepEqual(
    (await readLeases(files)).map(({ expired }) => expired),
    [true],
  );
});

test('half a line, other lines and other files protect nothing and stop nobody', async () => {
  await using place = await scratch();
  await using store = await openStore(place.directory);
  await using _lease = await store.lease({ digests: [a], purpose: 'x' });
  const leases = join(place.directory, 'leases');
  const [name = ''] = await readdir(leases);
  await appendFile(join(leases, name), `future: something\n${b}`);
  await writeFile(join(leases, 'notes.txt'), b);
  const found = await readLeases(await layoutFilesOf(place.directory));
  assert.deepEqual(
    found.map(({ digests }) => [...digests]),
    [[a]],
  );
});

test('a holder whose lease was removed finds out before it relies on it', async () => {
  await using place = await scratch();
  await using store = await openStore(place.directory);
  await using lease = await store.lease({ digests: [a], purpose: 'pull of x' });
  const leases = join(place.directory, 'leases');
  for (const name of await readdir(leases)) await rm(join(leases, name));
  await assert.rejects(lease.add([b]), { code: 'ERR_OCI_STORE_LOCKED', message: /pull of x has expired/ });
});

test('an aborted lease leaves nothing; a layout to be handed on keeps no trace of one', async () => {
  await using place = await scratch();
  {
    await using layout = await createLayout(place.directory);
    await assert.rejects(layout.lease({ purpose: 'x', signal: AbortSignal.abort(new Error('enough')) }), {
      message: 'enough',
    });
    await using lease = await layout.lease({ digests: [a], purpose: 'x' });
    await lease.add([b]);
    const [name = ''] = await readdir(join(place.directory, 'leases'));
    assert.match(await readFile(join(place.directory, 'leases', name), 'utf8'), /^# x\nsha256:.*\n/);
  }
  assert.deepEqual((await readdir(place.directory)).sort(), ['blobs', 'index.json', 'oci-layout']);
});
