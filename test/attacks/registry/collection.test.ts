import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkStore, collectGarbage, openStore } from '@ocijs/image';
import { pull } from '@ocijs/registry';
import { startTestRegistry } from '@ocijs/registry/testing';
import { noiseImage } from '../../kit/pulls.ts';
import { temporaryDirectory } from '../../kit/temporary.ts';

test('attack 36: a collection without grace takes nothing from a pull that is under way', async () => {
  await using directory = await temporaryDirectory();
  await using registry = await startTestRegistry({
    plan: ({ path }) => (path.includes('/blobs/') ? { kind: 'slow', bytesPerSecond: 400_000 } : undefined),
  });
  await noiseImage(registry.store, { name: 'app:1', seeds: [1, 2, 3], bytes: 300_000 });
  // Two users of one layout, as two processes would be.
  await using puller = await openStore(directory.path);
  await using collector = await openStore(directory.path);
  let done = false;
  const reference = `${registry.host}/app:1`;
  const pulling = pull(reference, { store: puller, env: {} }).finally(() => {
    done = true;
  });
  let collections = 0;
  while (!done) {
    await collectGarbage(collector, { graceMs: 0 });
    collections++;
  }
  const { report } = await pulling;
  assert.ok(collections > 1, 'they went on side by side');
  const { problems } = await checkStore(puller);
  assert.deepEqual(problems, []);
  for (const { digest, size } of report.blobs) assert.equal(await puller.size(digest), size);
});
