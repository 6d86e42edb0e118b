import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { test } from 'node:test';
import { leftovers } from '../testing/busybox-bundle.ts';
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
