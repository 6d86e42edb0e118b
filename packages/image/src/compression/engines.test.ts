import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { inflateEngine } from './engines.ts';

const { name, reason } = inflateEngine();

const layers = `
const { gzipSync } = require('node:zlib');
const { randomBytes } = require('node:crypto');
const { setFlagsFromString } = require('node:v8');
setFlagsFromString('--expose-gc');
const collect = require('node:vm').runInNewContext('gc');
import(process.env.SUBJECT).then(({ createSyncDecompressor }) => {
  for (let layer = 0; layer < 20; layer++) {
    const decompressor = createSyncDecompressor('gzip', () => {});
    decompressor.push(gzipSync(randomBytes(200_000)));
    decompressor.finish();
    collect();
  }
});`;

test('threads that inflated end without taking the process along', {
  skip: name !== 'zlib-sync' && reason,
}, async () => {
  const subject = new URL('./sync-decompressor.ts', import.meta.url).href;
  for (let round = 0; round < 5; round++) {
    const worker = new Worker(layers, {
      eval: true,
      env: { SUBJECT: subject },
      execArgv: ['--conditions=source'],
    });
    const [code] = await once(worker, 'exit');
    assert.equal(code, 0);
    await sleep(1);
  }
});
