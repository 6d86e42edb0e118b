import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { available } from '@ocijs/linux';
import { removeDirectoryTree } from './remove-directory.ts';

const skip = available() ? false : 'needs Linux';
const names = Array.from({ length: 40 }, (_, index) => `f${index}`);

/** Puts a link to the outside in the place of a directory that is being removed, and back. */
const swapper = `
const { workerData, parentPort } = require('node:worker_threads');
const fs = require('node:fs');
const { place, outside, state } = workerData;
const words = new Int32Array(state);
const attempt = (effect) => { try { effect(); return true; } catch { return false; } };
parentPort.postMessage('ready');
while (Atomics.load(words, 0) === 0) {
  const tree = place + '/tree' + Atomics.load(words, 2);
  for (const name of ['a', 'b', 'c', 'd']) {
    const path = tree + '/' + name;
    if (attempt(() => { fs.renameSync(path, place + '/aside'); fs.symlinkSync(outside, path); })) Atomics.add(words, 1, 1);
    attempt(() => fs.unlinkSync(path));
    attempt(() => fs.renameSync(place + '/aside', path));
  }
}`;

function fill(directory: string): void {
  mkdirSync(directory, { recursive: true });
  for (const name of names) writeFileSync(join(directory, name), name);
}

test('a link in the place of a directory is not followed, whenever it comes', { skip }, async () => {
  const place = mkdtempSync(join(tmpdir(), 'oci-remove-'));
  const outside = join(place, 'outside');
  fill(outside);
  const state = new SharedArrayBuffer(12);
  const words = new Int32Array(state);
  const worker = new Worker(swapper, { eval: true, workerData: { place, outside, state } });
  await once(worker, 'message');
  try {
    for (let round = 1; round <= 25; round++) {
      const tree = join(place, `tree${round}`);
      for (const name of ['a', 'b', 'c', 'd']) fill(join(tree, name));
      Atomics.store(words, 2, round);
      // Somebody else changes it, so that something may stay; what counts is the outside.
      await removeDirectoryTree(tree).catch((error: unknown) => assert.ok(error instanceof Error));
    }
    assert.ok(Atomics.load(words, 1) > 0, 'it was swapped');
    assert.deepEqual(readdirSync(outside).sort(), [...names].sort());
  } finally {
    const ended = once(worker, 'exit');
    Atomics.store(words, 0, 1);
    await ended;
    rmSync(place, { recursive: true, force: true });
  }
});

test('directories that keep their owner out go too, a missing one is fine', { skip }, async () => {
  const place = mkdtempSync(join(tmpdir(), 'oci-remove-'));
  fill(join(place, 'tree/locked'));
  chmodSync(join(place, 'tree/locked'), 0);
  await removeDirectoryTree(join(place, 'tree'));
  assert.equal(existsSync(join(place, 'tree')), false);
  await removeDirectoryTree(join(place, 'tree'));
  await removeDirectoryTree(join(place, 'no/such'));
  rmSync(place, { recursive: true });
});

test('directories that lie deeper than there are descriptors go too', { skip }, (context) => {
  const place = mkdtempSync(join(tmpdir(), 'oci-remove-'));
  context.after(() => rmSync(place, { recursive: true }));
  mkdirSync(join(place, 'tree', 'd/'.repeat(1_000)), { recursive: true });
  mkdirSync(join(place, 'tree/d/d/d/other', 'd/'.repeat(500)), { recursive: true });
  const program = `
    const { removeDirectoryTree } = await import(${JSON.stringify(import.meta.resolve('./remove-directory.ts'))});
    await removeDirectoryTree(${JSON.stringify(join(place, 'tree'))});`;
  const node = [process.execPath, ...process.execArgv, '--input-type=module', '--eval', program];
  const { status, stderr } = spawnSync('sh', ['-c', 'ulimit -n 250; exec "$@"', 'sh', ...node], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  assert.deepEqual(readdirSync(place), []);
});
