import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkStore, collectGarbage, createLayout, openStore } from '@ocijs/image';
import { startRegistry } from '@ocijs/registry/server';
import { noiseImage, startPuller } from '../kit/pulls.ts';
import { missing } from '../kit/requirements.ts';
import { temporaryDirectory } from '../kit/temporary.ts';

const PROCESSES = 16;
const tags = ['1', '2', '3'];

test('sixteen processes pull overlapping images into one store at once, each blob once in all', {
  skip: missing({}),
}, async () => {
  await using directory = await temporaryDirectory();
  const layout = join(directory.path, 'layout');
  await using source = await createLayout(layout);
  // Each image shares layers with the two beside it; layer 0 is in all.
  for (const [position, tag] of tags.entries())
    await noiseImage(source, {
      name: `app:${tag}`,
      seeds: [0, position + 1, position + 2],
      bytes: 300_000,
    });
  await using registry = await startRegistry({ directory: layout, readOnly: true });
  const path = join(directory.path, 'store');
  const references = tags.map((tag) => `${registry.host}/app:${tag}`);
  const rotated = (by: number): string[] =>
    references.map((_, i) => references[(i + by) % tags.length] ?? '');

  const pullers = Array.from({ length: PROCESSES }, (_, i) => startPuller(path, rotated(i)));
  const outcomes = await Promise.all(pullers.map(({ ended }) => ended));

  const fetched = new Map<string, number>();
  const all = new Map<string, number>();
  let bytesFetched = 0;
  for (const { status, stderr, reports } of outcomes) {
    assert.deepEqual([status, stderr, reports.length], [0, '', tags.length]);
    for (const report of reports) {
      bytesFetched += report.bytesFetched ?? 0;
      for (const { digest, size, status: how } of report.blobs) {
        all.set(digest, size);
        if (how !== 'reused') fetched.set(digest, (fetched.get(digest) ?? 0) + 1);
      }
    }
  }
  // Layers 0 to 4 and three configs; the manifests are asked for by every process, as they are small.
  assert.equal(all.size, 8);
  for (const digest of all.keys()) assert.equal(fetched.get(digest), 1, `${digest} came once`);
  assert.equal(
    bytesFetched,
    [...all.values()].reduce((x, y) => x + y),
  );

  await using store = await openStore(path);
  assert.deepEqual((await checkStore(store)).problems, []);
  assert.deepEqual((await store.list()).map(({ name }) => name).sort(), references);
  for (const place of ['ingest', 'locks', 'leases']) assert.deepEqual(await readdir(join(path, place)), []);
  const { blobs } = await collectGarbage(store, { graceMs: 0, dryRun: true });
  assert.ok(blobs.length === 11 && blobs.every(({ kept }) => kept));
});
