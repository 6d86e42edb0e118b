import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { missing } from '../../kit/requirements.ts';
import { arena, directory, file, type HostileLayer, link, symlink } from './arena.ts';

/** Finds where the unpack works, and swaps its directories for links to the outside and back, as fast as it can. */
const swapper = `
const { workerData, parentPort } = require('node:worker_threads');
const fs = require('node:fs');
const { parent, outside, state } = workerData;
const words = new Int32Array(state);
const attempt = (effect) => { try { effect(); return true; } catch { return false; } };
parentPort.postMessage('ready');
while (Atomics.load(words, 0) === 0) {
  for (const staging of fs.readdirSync(parent).filter((name) => name.startsWith('.target.oci-'))) {
    for (const name of ['d', 'd/e']) {
      const path = parent + '/' + staging + '/rootfs/' + name;
      const aside = parent + '/' + staging + '/aside';
      if (attempt(() => { fs.renameSync(path, aside); fs.symlinkSync(outside, path); })) Atomics.add(words, 1, 1);
      attempt(() => { if (fs.lstatSync(path).isSymbolicLink()) fs.unlinkSync(path); });
      attempt(() => fs.renameSync(aside, path));
    }
  }
}
parentPort.postMessage('done');`;

const owned = { uid: 12, gid: 34, mode: 0o7777, mtimeNs: 1n };
const rounds = 25;
const wantedSwaps = 2_000;

/** Every kind of effect below directories that are being swapped. Each layer looks for them anew. */
function layers(): readonly HostileLayer[] {
  return Array.from({ length: 60 }, (_, index) =>
    index % 4 === 3
      ? [file('d/e/.wh.canary'), file('d/e/.wh..wh..opq'), file('d/.wh.e')]
      : [
          directory('d', { mode: 0o777, uid: 1 }),
          directory('d/e', owned),
          file(`d/e/f${index}`, 'x', { ...owned, xattrs: new Map([['user.a', Buffer.from('b')]]) }),
          file('d/e/canary', 'overwritten', owned),
          symlink(`d/e/s${index}`, '/etc/passwd', owned),
          link(`d/e/h${index}`, `d/e/f${index}`),
          file(`d/e/implied${index}/deep`),
        ],
  );
}

test('attack 9: a thread that swaps directories for links during the unpack (CVE-2025-47290, CVE-2018-15664)', {
  skip: missing({ root: true }),
}, async () => {
  const state = new SharedArrayBuffer(8);
  const words = new Int32Array(state);
  for (let round = 0; round < rounds && Atomics.load(words, 1) < wantedSwaps; round++) {
    await using at = await arena();
    const parent = dirname(at.target);
    Atomics.store(words, 0, 0);
    const worker = new Worker(swapper, { eval: true, workerData: { parent, outside: at.outside, state } });
    await once(worker, 'message');
    try {
      // Somebody else changes the tree, so that it may fail; what counts is the outside.
      await at.attack(layers()).catch((error: unknown) => assert.ok(error instanceof Error));
    } finally {
      const ended = once(worker, 'exit');
      Atomics.store(words, 0, 1);
      await ended;
    }
    // What could not be removed while it was swapped.
    for (const name of readdirSync(parent))
      if (name.startsWith('.target.oci-')) rmSync(join(parent, name), { recursive: true });
    await at.check();
  }
  assert.ok(Atomics.load(words, 1) > 0, 'something was swapped');
});
