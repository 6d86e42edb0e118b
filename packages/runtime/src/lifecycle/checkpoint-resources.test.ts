import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { CriuSettings } from '../checkpoint/options.ts';
import { leftovers } from '../testing/busybox-bundle.ts';
import {
  cannotCheckpoint,
  count,
  counting,
  countingBundle,
  noStdio,
  type SharingBundle,
  until,
} from '../testing/checkpoints.ts';
import { checkpoint } from './checkpoint.ts';
import { remove } from './remove.ts';
import { restoreDetached } from './restore.ts';

const stdio = noStdio;
const skip = cannotCheckpoint();
const cannotCompile = spawnSync('cc', ['--version']).status === 0 ? false : 'needs a C compiler (cc)';

/** Builds the program that holds things, into the bundle. */
function holderBundle(what: string): SharingBundle {
  const bundle = countingBundle(`exec holder ${what}`);
  const holder = join(bundle.directory, 'rootfs/bin/holder');
  const source = fileURLToPath(new URL('../checkpoint/testing/holder.c', import.meta.url));
  assert.equal(spawnSync('cc', ['-static', '-o', holder, source], { stdio: 'inherit' }).status, 0);
  return bundle;
}

/** Checkpointed without the setting the container runs on; with it, it is restored and counts on. */
async function needsSetting(
  bundle: SharingBundle,
  setting: Partial<CriuSettings>,
  complaint: RegExp,
): Promise<void> {
  const { root, directory, shared } = bundle;
  const id = await counting(bundle);
  const imagePath = join(directory, 'images');
  try {
    const without = checkpoint(id, { root, imagePath: join(directory, 'without') });
    await assert.rejects(without, { code: 'ERR_OCI_CRIU_FAILED', message: complaint });
    const before = count(shared);
    await until(() => count(shared) > before);
    await checkpoint(id, { root, imagePath, ...setting });
    const then = count(shared);
    await restoreDetached(id, { bundle: directory, root, stdio, imagePath, ...setting });
    await until(() => count(shared) > then + 3);
  } catch (error) {
    await remove(id, { root, force: true });
    throw error;
  }
  await remove(id, { root, force: true });
  assert.deepEqual(leftovers(bundle), []);
}

/** Kernels from 6.16 on have no such option for internet sockets, and a criu that asks for it dumps none. */
const unknownToCriu = /Can't get 1:16 opt: Operation not supported/;

/**
 * One side counts, the other one, which accepts once, writes down what it hears. Both have the socket itself as a standard
 * stream: criu interrupts calls that wait, and a `sleep` that kept the input of `nc` open would end, and the connection
 * with it.
 */
const connection = `
  busybox nc -l -p 5000 -e sh -c 'while read i; do mkdir /shared/$i; done' &
  count='i=0; while true; do i=$((i+1)); echo $i; sleep 0.05; done'
  while true; do busybox nc 127.0.0.1 5000 -e sh -c "$count"; sleep 0.05; done`;

test('an open connection goes on', { skip }, async (context) => {
  using bundle = countingBundle(connection);
  try {
    await needsSetting(bundle, { tcpEstablished: true }, /tcp-established/);
  } catch (error) {
    if (!unknownToCriu.test(String(error))) throw error;
    context.skip('needs a criu that knows the sockets of this kernel');
  }
});

test('a lock is held again', { skip: skip || cannotCompile }, async () => {
  using bundle = holderBundle('lock');
  await needsSetting(bundle, { fileLocks: true }, /file-locks/);
});

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await ended;
}

test('a socket that leads outside is connected again', { skip: skip || cannotCompile }, async () => {
  using bundle = holderBundle('send');
  // criu knows the sockets of the container's network namespaces only.
  bundle.change(({ linux }) => {
    linux.namespaces = linux.namespaces?.filter(({ type }) => type !== 'network') ?? [];
  });
  // Its name is the same inside and outside, as that of /dev/log is.
  const receiver = spawn('chroot', [bundle.directory, '/rootfs/bin/holder', 'receive'], { stdio: 'ignore' });
  try {
    await until(() => existsSync(join(bundle.shared, 'log')));
    await needsSetting(bundle, { extUnixSockets: true }, /ext-unix-sk/);
  } finally {
    await end(receiver);
  }
});
