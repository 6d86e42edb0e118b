import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { findHierarchies } from '../cgroup/hierarchies.ts';
import { exec } from '../exec.ts';
import { checkpointFileLimit } from '../limits.ts';
import { readRecord } from '../state/store.ts';
import { busyboxBundle, cannotRunAsRoot, leftovers, testId } from '../testing/busybox-bundle.ts';
import {
  cannotCheckpoint,
  count,
  counter,
  counting,
  countingBundle,
  noStdio,
  until,
} from '../testing/checkpoints.ts';
import { checkpoint } from './checkpoint.ts';
import { remove } from './remove.ts';
import { restoreDetached } from './restore.ts';

const skip = cannotCheckpoint();
const skipUnlessRoot = cannotRunAsRoot();
const stdio = noStdio;

test('a process that joins a restored container is under its seccomp filter', { skip }, async () => {
  using bundle = countingBundle();
  const { root, directory } = bundle;
  bundle.change((spec) => {
    const syscalls = [{ names: ['symlink', 'symlinkat'], action: 'SCMP_ACT_ERRNO' as const, errnoRet: 1 }];
    spec.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls };
  });
  const id = await counting(bundle);
  const imagePath = join(directory, 'images');
  try {
    await checkpoint(id, { root, imagePath });
    await restoreDetached(id, { bundle: directory, root, stdio, imagePath });
    await using joined = await exec(id, {
      root,
      args: ['sh', '-c', 'busybox ln -s y /dev/shm/x 2>&1; cat /proc/self/status'],
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const out = text(joined.stdout as Readable);
    await joined.wait();
    assert.match(await out, /Operation not permitted[\s\S]*^Seccomp:\s+2$/m);
  } finally {
    await remove(id, { root, force: true });
  }
  assert.deepEqual(leftovers(bundle), []);
});

/** A checkpoint that criu is never asked for, since something else is wrong with it. */
function uncheckedImages(directory: string, mounts: readonly unknown[] = []): string {
  const images = join(directory, 'images');
  mkdirSync(images);
  writeFileSync(join(images, 'descriptors.json'), '["","",""]');
  writeFileSync(join(images, 'oci-runtime.json'), JSON.stringify({ mounts, hasTerminal: false }));
  return images;
}

/** A criu that says no. */
function refusingCriu(directory: string): string {
  const program = join(directory, 'criu');
  writeFileSync(program, '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  return program;
}

test('a directory that is not there is not made', { skip: skipUnlessRoot }, async () => {
  using bundle = busyboxBundle('true');
  const { root, directory } = bundle;
  const imagePath = join(directory, 'mistyped');
  const options = { bundle: directory, root, stdio, imagePath, criu: refusingCriu(directory) };
  await assert.rejects(restoreDetached(testId(), options), { code: 'ERR_OCI_CHECKPOINT_INVALID' });
  assert.equal(existsSync(imagePath), false);
});

test('hostile facts beside the images reach nothing outside of the root file system', {
  skip: skipUnlessRoot,
}, async () => {
  const outside = (directory: string): string => join(directory, 'outside');
  const cases: readonly (readonly [path: string, code: string, source?: string])[] = [
    ['/../outside/made', 'ERR_OCI_CHECKPOINT_INVALID'],
    ['/./x', 'ERR_OCI_CHECKPOINT_INVALID'],
    ['relative', 'ERR_OCI_CHECKPOINT_INVALID'],
    ['/', 'ERR_OCI_CHECKPOINT_INVALID'],
    ['/link/made', 'ERR_OCI_SPEC_CONFLICT'],
    ['/link', 'ERR_OCI_SPEC_CONFLICT'],
    ['/mnt', 'ERR_OCI_CHECKPOINT_INVALID', '/etc'],
    ['/dev/mem', 'ERR_OCI_CHECKPOINT_INVALID', '/dev/mem'],
    ['/mnt', 'ERR_OCI_CHECKPOINT_INVALID', `${findHierarchies()[0]?.mountPoint}/x`],
  ];
  for (const [path, code, source = '/dev/null'] of cases) {
    using bundle = busyboxBundle('true');
    const { root, directory } = bundle;
    mkdirSync(outside(directory));
    symlinkSync(outside(directory), join(directory, 'rootfs/link'));
    const imagePath = uncheckedImages(directory, [{ path, source }]);
    const options = { bundle: directory, root, stdio, imagePath, criu: refusingCriu(directory) };
    await assert.rejects(restoreDetached(testId(), options), { code }, path);
    assert.equal(existsSync(join(outside(directory), 'made')), false, path);
    assert.deepEqual(leftovers(bundle), [], path);
  }
});

function makeFifo(path: string): void {
  assert.equal(spawnSync('mkfifo', [path]).status, 0);
}

function makeLink(path: string): void {
  symlinkSync('descriptors.json', path);
}

test('a terminal must be as it was', { skip: skipUnlessRoot }, async () => {
  using bundle = busyboxBundle('true');
  const { root, directory } = bundle;
  bundle.change((spec) => {
    spec.process.terminal = true;
  });
  const imagePath = uncheckedImages(directory);
  const consoleSocket = join(directory, 'console');
  const options = { bundle: directory, root, stdio, imagePath, consoleSocket, criu: refusingCriu(directory) };
  await assert.rejects(restoreDetached(testId(), options), {
    code: 'ERR_OCI_SPEC_CONFLICT',
    message: /process\.terminal must be false, as it was/,
  });
  assert.deepEqual(leftovers(bundle), []);
});

test('facts that are too large, or no file, are not read', { skip: skipUnlessRoot }, async () => {
  using bundle = busyboxBundle('true');
  const { root, directory } = bundle;
  const imagePath = uncheckedImages(directory);
  const options = { bundle: directory, root, stdio, imagePath, criu: refusingCriu(directory) };
  const facts = join(imagePath, 'oci-runtime.json');
  writeFileSync(facts, ' '.repeat(checkpointFileLimit + 1));
  await assert.rejects(restoreDetached(testId(), options), {
    code: 'ERR_OCI_CHECKPOINT_INVALID',
    message: /larger than/,
  });
  for (const make of [mkdirSync, makeFifo, makeLink]) {
    rmSync(facts, { recursive: true });
    make(facts);
    const refusal = { code: 'ERR_OCI_CHECKPOINT_INVALID', message: /is not a regular file|ELOOP/ };
    await assert.rejects(restoreDetached(testId(), options), refusal);
    assert.deepEqual(leftovers(bundle), []);
  }
});

test('oci-runtime restore passes signals on, and ends as the container does', { skip }, async () => {
  using bundle = countingBundle(`trap "exit 9" TERM; ${counter}`);
  const { root, directory, shared } = bundle;
  const id = await counting(bundle);
  const imagePath = join(directory, 'images');
  await checkpoint(id, { root, imagePath });
  const before = count(shared);
  const main = new URL('../command-line/main.ts', import.meta.url).href;
  const program = `import { main } from ${JSON.stringify(main)}; process.exit(await main(process.argv.slice(1)));`;
  const node = ['--conditions=source', '--input-type=module', '--eval', program, '--'];
  const args = ['--root', root, 'restore', '--bundle', directory, '--image-path', imagePath, id];
  const child = spawn(process.execPath, [...node, ...args], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  try {
    // Only then is the signal the container's.
    const isFinished = (): boolean =>
      existsSync(join(root, id, 'state.json')) && readRecord(root, id)?.finished === true;
    await until(() => (isFinished() && count(shared) > before) || child.exitCode !== null);
    child.kill('SIGTERM');
    assert.deepEqual(await ended, [9, null]);
  } finally {
    child.kill('SIGKILL');
    await remove(id, { root, force: true });
  }
  assert.deepEqual(leftovers(bundle), []);
});
