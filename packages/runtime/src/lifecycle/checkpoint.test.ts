import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { busyboxBundle, cannotRunAsRoot, leftovers, testId } from '../testing/busybox-bundle.ts';
import {
  cannotCheckpoint,
  cannotWithout,
  count,
  counting,
  countingBundle,
  noStdio,
  until,
} from '../testing/checkpoints.ts';
import { checkpoint } from './checkpoint.ts';
import { create } from './create.ts';
import { remove } from './remove.ts';
import { restoreDetached } from './restore.ts';
import { start } from './start.ts';
import { state } from './state.ts';

const skip = cannotCheckpoint();
const stdio = noStdio;

test('a container goes on where it was', { skip }, async () => {
  using bundle = countingBundle();
  const { root, directory, shared } = bundle;
  const id = await counting(bundle);
  const imagePath = join(directory, 'images');
  const workPath = join(directory, 'work');
  await checkpoint(id, { root, imagePath, workPath });
  assert.throws(() => state(id, { root }), { code: 'ERR_OCI_CONTAINER_NOT_FOUND' });
  assert.deepEqual(leftovers(bundle), []);
  assert.ok(statSync(join(workPath, 'dump.log')).size > 0);
  const before = count(shared);
  for (const name of readdirSync(shared)) rmdirSync(join(shared, name));
  const pid = await restoreDetached(id, { bundle: directory, root, stdio, imagePath, workPath });
  assert.deepEqual([state(id, { root }).status, state(id, { root }).pid], ['running', pid]);
  await until(() => count(shared) > 0);
  assert.ok(count(shared) >= before, `${count(shared)} < ${before}`);
  assert.match(readFileSync(`/proc/${pid}/cgroup`, 'utf8'), new RegExp(`/oci/${id}$`, 'm'));
  await remove(id, { root, force: true });
  assert.deepEqual(leftovers(bundle), []);
});

test('a container is left running, and another one goes on from the same place', { skip }, async () => {
  using bundle = countingBundle();
  const { root, directory, shared } = bundle;
  const id = await counting(bundle);
  const imagePath = join(directory, 'images');
  const other = testId();
  try {
    await checkpoint(id, { root, imagePath, leaveRunning: true });
    const before = count(shared);
    await until(() => count(shared) > before);
    await remove(id, { root, force: true });
    await restoreDetached(other, { bundle: directory, root, stdio, imagePath });
    const then = count(shared);
    await until(() => count(shared) > then);
  } finally {
    for (const one of [id, other]) await remove(one, { root, force: true });
  }
  assert.deepEqual(leftovers(bundle), []);
});

const cannotTrack = cannotWithout('mem_dirty_track', 'needs a kernel that tracks changed memory');

test('memory is written first, and then what changed', { skip: cannotTrack }, async () => {
  using bundle = countingBundle();
  const { root, directory, shared } = bundle;
  const id = await counting(bundle);
  try {
    await checkpoint(id, { root, imagePath: join(directory, 'first'), preDump: true });
    const before = count(shared);
    await until(() => count(shared) > before);
    await checkpoint(id, { root, imagePath: join(directory, 'second'), parentPath: '../first' });
    assert.ok(existsSync(join(directory, 'second/parent')));
    await restoreDetached(id, { bundle: directory, root, stdio, imagePath: join(directory, 'second') });
    const then = count(shared);
    await until(() => count(shared) > then);
  } finally {
    await remove(id, { root, force: true });
  }
  assert.deepEqual(leftovers(bundle), []);
});

const cannotCompile = spawnSync('cc', ['--version']).status === 0 ? false : 'needs a C compiler (cc)';

test('a terminal is handed over again', { skip: skip || cannotCompile }, async () => {
  using bundle = countingBundle();
  const { root, directory, shared } = bundle;
  bundle.change((spec) => {
    spec.process.terminal = true;
  });
  const keeper = join(directory, 'keeper');
  const source = fileURLToPath(new URL('../checkpoint/testing/terminals.c', import.meta.url));
  assert.equal(spawnSync('cc', ['-o', keeper, source]).status, 0);
  const consoleSocket = join(directory, 'console');
  const child = spawn(keeper, [consoleSocket], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface(child.stdout);
  const received: string[] = [];
  lines.on('line', (line) => received.push(line));
  const id = testId();
  const imagePath = join(directory, 'images');
  try {
    await until(() => received.length === 1);
    await create(id, { bundle: directory, root, stdio, consoleSocket });
    await start(id, { root });
    await until(() => count(shared) >= 3);
    await checkpoint(id, { root, imagePath });
    const before = count(shared);
    await restoreDetached(id, { bundle: directory, root, stdio, imagePath, consoleSocket });
    await until(() => count(shared) > before);
    await until(() => received.length === 3);
    assert.match(received[2] ?? '', /^\/dev\/pts\/\d+ 1$/);
  } finally {
    child.kill();
    await remove(id, { root, force: true });
  }
  assert.deepEqual(leftovers(bundle), []);
});

test('what is no checkpoint, or cannot be one, is refused', { skip: cannotRunAsRoot() }, async () => {
  using bundle = busyboxBundle('sleep 100');
  const { root, directory } = bundle;
  const imagePath = join(directory, 'images');
  const program = join(directory, 'criu');
  writeFileSync(program, '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  const id = testId();
  const restoring = { bundle: directory, root, stdio, imagePath, criu: program };
  await assert.rejects(restoreDetached(id, restoring), { code: 'ERR_OCI_CHECKPOINT_INVALID' });
  await assert.rejects(restoreDetached(id, { ...restoring, criu: '/does/not/exist' }), {
    code: 'ERR_OCI_CRIU_MISSING',
  });
  await create(id, { bundle: directory, root, stdio });
  await assert.rejects(checkpoint(id, { root, imagePath }), { code: 'ERR_OCI_CONTAINER_STATE' });
  await start(id, { root });
  await assert.rejects(checkpoint(id, { root, imagePath, criu: program }), { code: 'ERR_OCI_CRIU_FAILED' });
  assert.equal(state(id, { root }).status, 'running');
  await remove(id, { root, force: true });
  await assert.rejects(restoreDetached(id, restoring), { code: 'ERR_OCI_CRIU_FAILED' });
  writeFileSync(join(imagePath, 'descriptors.json'), '{}');
  await assert.rejects(restoreDetached(id, restoring), { code: 'ERR_OCI_CHECKPOINT_INVALID' });
  assert.deepEqual(leftovers(bundle), []);
});
