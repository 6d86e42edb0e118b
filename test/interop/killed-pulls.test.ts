import assert from 'node:assert/strict';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkStore, collectGarbage, createLayout, openStore } from '@ocijs/image';
import { startRegistry } from '@ocijs/registry/server';
import { noiseImage, startPuller } from '../kit/pulls.ts';
import { missing } from '../kit/requirements.ts';
import { startSlowRelay } from '../kit/slow-relay.ts';
import { temporaryDirectory } from '../kit/temporary.ts';

const KILLS = 8;
const LAYER_BYTES = 8_000_000;
/** Slow enough that a layer takes longer than the longest wait before a kill. */
const BYTES_PER_SECOND = 20_000_000;

test('a pull that is killed at any instant leaves a sound store, and the next one fetches only the rest', {
  skip: missing({}),
}, async () => {
  await using directory = await temporaryDirectory();
  const layout = join(directory.path, 'layout');
  await using source = await createLayout(layout);
  await noiseImage(source, { name: 'app:1', seeds: [1, 2, 3], bytes: LAYER_BYTES });
  await using registry = await startRegistry({ directory: layout, readOnly: true });
  await using relay = await startSlowRelay(registry.host, { bytesPerSecond: BYTES_PER_SECOND });
  const reference = `${relay.host}/app:1`;
  let resumed = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const path = join(directory.path, `store-${kill}`);
    const victim = startPuller(path, [reference]);
    await somethingArrived(path, victim.child);
    await sleep(Math.random() * 60);
    victim.child.kill('SIGKILL');
    await victim.ended;

    await using store = await openStore(path);
    assert.deepEqual((await checkStore(store)).problems, []);
    const there = await bytesIn(join(path, 'ingest'));
    // With a grace time, a collection right after the crash costs nothing of what arrived.
    await collectGarbage(store);
    assert.equal(await bytesIn(join(path, 'ingest')), there);
    assert.deepEqual(
      await readdir(join(path, 'leases')).catch(() => []),
      [],
      'the lease ended with the process',
    );

    const { status, stderr, reports } = await startPuller(path, [reference]).ended;
    assert.deepEqual([status, stderr], [0, '']);
    const [report] = reports;
    const total = report?.blobs.reduce((sum, { size }) => sum + size, 0) ?? 0;
    assert.equal((report?.bytesFetched ?? 0) + (report?.bytesReused ?? 0), total);
    assert.ok((report?.bytesReused ?? 0) >= there, 'what had arrived was not fetched again');
    resumed += report?.blobs.filter((blob) => blob.status === 'resumed').length ?? 0;
    assert.deepEqual((await checkStore(store)).problems, []);
    const { blobs, leftovers } = await collectGarbage(store, { graceMs: 0 });
    assert.deepEqual([blobs.length, blobs.every(({ kept }) => kept), leftovers], [5, true, []]);
  }
  assert.ok(resumed > 0, 'no pull was killed in the middle of a blob');
});

/** Waits until the first bytes of a blob are in the store, or the process has ended. */
async function somethingArrived(path: string, child: { readonly exitCode: number | null }): Promise<void> {
  while (child.exitCode === null && (await bytesIn(join(path, 'ingest'))) === 0) await sleep(2);
}

async function bytesIn(directory: string): Promise<number> {
  // The store's own files are made there too, before anything is pulled.
  const names = (await readdir(directory).catch(() => [])).filter((name) => name.startsWith('sha256-'));
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(directory, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
