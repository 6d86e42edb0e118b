import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { available } from './library.ts';

const program = `
import(process.env.SUBJECT).then(({ takeUmask, ownUmask, mkdirat, constants }) => {
  const before = ownUmask();
  const taken = takeUmask(0);
  mkdirat(constants.AT_FDCWD, process.env.DIRECTORY + '/worker', { mode: 0o777 });
  require('node:worker_threads').parentPort.postMessage({ before, taken, after: ownUmask() });
});`;

test('a worker has a umask of its own, the process keeps its own', {
  skip: available() ? false : 'needs Linux',
}, async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'oci-umask-'));
  context.after(() => rmSync(directory, { recursive: true }));
  const worker = new Worker(program, {
    eval: true,
    env: { SUBJECT: new URL('./index.ts', import.meta.url).href, DIRECTORY: directory },
    execArgv: ['--conditions=source'],
  });
  const [{ before, taken, after }] = await once(worker, 'message');
  await worker.terminate();
  if (!taken) {
    context.skip('unshare is forbidden here');
    return;
  }
  assert.equal(before, undefined);
  assert.equal(after, 0);
  assert.equal(statSync(join(directory, 'worker')).mode & 0o777, 0o777);
  writeFileSync(join(directory, 'main'), '', { mode: 0o666 });
  assert.equal(statSync(join(directory, 'main')).mode & 0o777, 0o666 & ~process.umask());
});
