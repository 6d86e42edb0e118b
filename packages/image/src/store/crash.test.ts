import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { digestBytes } from '../digest/hasher.ts';
import { openLayout, openStore } from './open.ts';

const writer = fileURLToPath(new URL('./crash-writer.testkit.ts', import.meta.url));
const skip = process.platform === 'linux' ? false : 'needs /proc to see which processes run';

interface Writer {
  readonly child: ChildProcess;
  /** The last digest that was reported for each name. */
  readonly reported: Map<string, string>;
  readonly stderr: string[];
}

function startWriter(directory: string, seed: number, rounds: string): Writer {
  const child = spawn(process.execPath, [writer, directory, String(seed), rounds], { stdio: 'pipe' });
  const reported = new Map<string, string>();
  const stderr: string[] = [];
  let rest = '';
  child.stdout.on('data', (data: Buffer) => {
    const lines = (rest + data.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const [name = '', digest = ''] = line.split(' ');
      reported.set(name, digest);
    }
  });
  child.stderr.on('data', (data: Buffer) => stderr.push(data.toString()));
  return { child, reported, stderr };
}

/** Everything that must be true of a store at any instant. Returns the number of blobs. */
async function assertConsistent(directory: string): Promise<number> {
  const blobs = await readdir(join(directory, 'blobs', 'sha256'));
  for (const hex of blobs)
    assert.equal(digestBytes(await readFile(join(directory, 'blobs', 'sha256', hex))), `sha256:${hex}`);
  await using store = await openLayout(directory);
  for (const { descriptor } of await store.list()) {
    assert.equal(await store.size(descriptor.digest), descriptor.size);
    await store.readAll(descriptor);
  }
  return blobs.length;
}

test('a store is consistent after writers were killed at any instant', { skip }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'ocijs-crash-'));
  try {
    let partial = 0;
    for (let round = 0; round < 8; round++) {
      const writers = [0, 1, 2].map((lane) => startWriter(directory, round * 3 + lane, 'Infinity'));
      const exits = writers.map(({ child }) => once(child, 'close'));
      // The first rounds hit the making of the store itself.
      if (round < 3) await sleep(60 + Math.random() * 100);
      else await Promise.race(writers.map(({ child }) => once(child.stdout ?? child, 'data')));
      await sleep(Math.random() * 50);
      for (const { child } of writers) {
        child.kill('SIGKILL');
        await sleep(Math.random() * 10);
      }
      await Promise.all(exits);
      for (const { stderr } of writers) assert.deepEqual(stderr, []);
      await using store = await openStore(directory);
      await assertConsistent(directory);
      for (const { reported } of writers)
        for (const name of reported.keys()) assert.ok(await store.resolve(name), `${name} was lost`);
      partial += (await readdir(join(directory, 'ingest'))).length;
    }
    // Nothing that the dead left is in the way of the living.
    const last = startWriter(directory, 999, '40');
    const [status] = (await once(last.child, 'close')) as [number | null];
    assert.deepEqual([status, last.stderr], [0, []]);
    await using store = await openStore(directory);
    for (const [name, digest] of last.reported) assert.equal((await store.resolve(name))?.digest, digest);
    assert.ok((await assertConsistent(directory)) >= 40);
    assert.ok(partial > 0, 'no writer was killed in the middle of a blob');
  } finally {
    await rm(directory, { recursive: true });
  }
});

test('several processes that name and store at once lose nothing', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'ocijs-concurrent-'));
  try {
    const writers = [1, 2, 3, 4].map((seed) => startWriter(directory, seed, '20'));
    await Promise.all(writers.map(({ child }) => once(child, 'close')));
    for (const { stderr, reported } of writers) assert.deepEqual([stderr, reported.size], [[], 10]);
    await using store = await openStore(directory);
    for (const { reported } of writers)
      for (const [name, digest] of reported) assert.equal((await store.resolve(name))?.digest, digest);
    assert.equal((await store.list()).length, 40);
    // Ten blobs in common, ten of each.
    assert.equal(await assertConsistent(directory), 50);
    assert.deepEqual(await readdir(join(directory, 'ingest')), []);
    assert.deepEqual(await readdir(join(directory, 'locks')), []);
  } finally {
    await rm(directory, { recursive: true });
  }
});
