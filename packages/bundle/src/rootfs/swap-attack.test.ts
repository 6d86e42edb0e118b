import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { isOciError } from '@ocijs/image';
import { available } from '@ocijs/linux';
import { linuxOperations } from './linux-operations.ts';
import { applyLayers, directory, file, link, symlink, type TestEntry } from './testing/entries.ts';
import { playground, snapshot } from './testing/snapshot.ts';

const skip = available() ? false : 'needs Linux';

/** Swaps a directory for a link to the outside and back, as fast as it can, until told to stop. */
const swapper = `
const { workerData, parentPort } = require('node:worker_threads');
const fs = require('node:fs');
const { rootfs, outside, state } = workerData;
const words = new Int32Array(state);
const attempt = (effect) => { try { effect(); } catch {} };
parentPort.postMessage('ready');
while (Atomics.load(words, 0) === 0) {
  for (const name of ['d', 'd/e']) {
    const path = rootfs + '/' + name;
    attempt(() => { fs.renameSync(path, rootfs + '/../aside'); fs.symlinkSync(outside, path); });
    attempt(() => { if (fs.lstatSync(path).isSymbolicLink()) fs.unlinkSync(path); });
    attempt(() => fs.renameSync(rootfs + '/../aside', path));
    Atomics.add(words, 1, 1);
  }
}
parentPort.postMessage('done');`;

/** Every kind of effect, again and again, below directories that are being swapped. */
function entries(round: number): readonly TestEntry[] {
  const name = (text: string): string => `d/e/${text}${round}`;
  return [
    directory('d', { mode: 0o777, uid: 1 }),
    directory('d/e', { mode: 0o711, gid: 2 }),
    file(name('file'), 'x', { mode: 0o4755, uid: 3, xattrs: { 'user.a': 'b' } }),
    file('d/e/canary', 'overwritten', { mode: 0o777, uid: 4 }),
    directory('d/e/inner', { mode: 0o700 }),
    symlink(name('link'), '/etc/passwd'),
    link(name('hard'), name('file')),
    file(`d/e/implied${round}/deep/file`, 'x'),
  ];
}

const hiding: readonly TestEntry[] = [file('d/e/.wh.canary'), file('d/e/.wh..wh..opq'), file('.wh.d')];

for (const openat2 of [true, false]) {
  test(`attack: a directory swapped for a link during the unpack (${openat2 ? 'openat2' : 'walk'})`, {
    skip,
  }, async () => {
    using place = playground();
    const [outside, rootfs] = [join(place.directory, 'target'), join(place.directory, 'swapped')];
    mkdirSync(join(outside, 'inner'), { recursive: true });
    writeFileSync(join(outside, 'canary'), 'alive');
    chmodSync(join(outside, 'canary'), 0o640);
    for (const path of ['canary', 'inner', '.']) utimesSync(join(outside, path), 1, 1);
    mkdirSync(join(rootfs, 'd/e'), { recursive: true });
    const before = [...snapshot(outside)];
    const state = new SharedArrayBuffer(8);
    const words = new Int32Array(state);
    const worker = new Worker(swapper, { eval: true, workerData: { rootfs, outside, state } });
    await once(worker, 'message');
    try {
      for (let round = 0; round < 120; round++) {
        for (const layer of [entries(round), hiding]) {
          try {
            applyLayers(rootfs, [layer], { operations: linuxOperations({ openat2 }) });
          } catch (error) {
            // Somebody else changes the tree, so that it may fail; what counts is the outside.
            assert.ok(isOciError(error) || error instanceof Error, String(error));
          }
        }
      }
      assert.ok(Atomics.load(words, 1) > 0, 'it was swapped');
      assert.deepEqual([...snapshot(outside)], before);
    } finally {
      Atomics.store(words, 0, 1);
      await once(worker, 'exit');
    }
  });
}
