import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, read, readdirSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { release } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { leftovers, testId } from '../testing/busybox-bundle.ts';
import {
  cannotCheckpoint,
  cannotWithout,
  count,
  counting,
  countingBundle,
  criu,
  noStdio,
  until,
} from '../testing/checkpoints.ts';
import { checkpoint } from './checkpoint.ts';
import { remove } from './remove.ts';
import { restoreDetached } from './restore.ts';

const stdio = noStdio;
const address = '127.0.0.1';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, address);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A process of criu that serves or fetches memory; returned when it is ready. */
async function startCriu(args: readonly string[], directory: string): Promise<ChildProcess> {
  const child = spawn(
    criu,
    [...args, '--images-dir', directory, '--work-dir', directory, '--status-fd', '3'],
    {
      stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
    },
  );
  await once(child.stdio[3] as Readable, 'data');
  return child;
}

async function end(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

function pagesIn(directory: string): string[] {
  return readdirSync(directory).filter((name) => /^pages-\d+\.img$/.test(name));
}

test('memory goes to a page server', { skip: cannotCheckpoint() }, async () => {
  using bundle = countingBundle();
  const { root, directory } = bundle;
  const imagePath = join(directory, 'images');
  const pages = join(directory, 'pages');
  mkdirSync(pages);
  const id = await counting(bundle);
  const port = await freePort();
  const server = await startCriu(['page-server', '--address', address, '--port', String(port)], pages);
  try {
    await checkpoint(id, { root, imagePath, pageServer: { address, port } });
    assert.deepEqual(pagesIn(imagePath), []);
    assert.notDeepEqual(pagesIn(pages), []);
  } finally {
    await end(server);
    await remove(id, { root, force: true });
  }
  assert.deepEqual(leftovers(bundle), []);
});

const cannotFetch = cannotWithout('uffd-noncoop', 'needs a kernel with userfaultfd');

test('memory is fetched when it is used', { skip: cannotFetch }, async () => {
  using bundle = countingBundle();
  const { root, directory, shared } = bundle;
  const imagePath = join(directory, 'images');
  const id = await counting(bundle);
  let daemon: ChildProcess | undefined;
  try {
    await checkpoint(id, { root, imagePath });
    const before = count(shared);
    daemon = await startCriu(['lazy-pages'], imagePath);
    await restoreDetached(id, { bundle: directory, root, stdio, imagePath, lazyPages: true });
    await until(() => count(shared) > before + 3);
    const ended = daemon.exitCode ?? (await once(daemon, 'exit'))[0];
    assert.equal(ended, 0, 'all memory was fetched');
  } finally {
    await end(daemon);
    await remove(id, { root, force: true });
  }
  assert.deepEqual(leftovers(bundle), []);
});

const [major = 0, minor = 0] = release().split('.').map(Number);
const isTooNew = major > 6 || (major === 6 && minor >= 16);
const cannotSend =
  cannotFetch || (isTooNew && 'criu 4.1.1 sends nothing on Linux 6.18, and does on 6.12: npm run test:vm');

test('memory is sent when another container fetches it', { skip: cannotSend }, async () => {
  using bundle = countingBundle();
  const { root, directory, shared } = bundle;
  const imagePath = join(directory, 'images');
  const id = await counting(bundle);
  const [heir, port] = [testId(), await freePort()];
  const fifo = join(directory, 'status');
  assert.equal(spawnSync('mkfifo', [fifo]).status, 0);
  const statusFd = openSync(fifo, 'r+');
  let daemon: ChildProcess | undefined;
  try {
    const settings = { root, imagePath, lazyPages: true, cgroupsMode: 'ignore' } as const;
    const sent = checkpoint(id, { ...settings, pageServer: { address, port }, statusFd });
    const ready = promisify(read)(statusFd, Buffer.alloc(1), 0, 1, null);
    await Promise.race([ready, sent.then(() => assert.fail('nobody has fetched anything'))]);
    const before = count(shared);
    const source = ['--page-server', '--address', address, '--port', String(port)];
    daemon = await startCriu(['lazy-pages', ...source], imagePath);
    await restoreDetached(heir, {
      ...settings,
      bundle: directory,
      stdio,
      signal: AbortSignal.timeout(120_000),
    });
    await until(() => count(shared) > before + 3);
    await sent;
    const ended = daemon.exitCode ?? (await once(daemon, 'exit'))[0];
    assert.equal(ended, 0, 'all memory was fetched');
  } finally {
    closeSync(statusFd);
    await end(daemon);
    await remove(id, { root, force: true });
    await remove(heir, { root, force: true });
  }
  assert.deepEqual(leftovers(bundle), []);
});
