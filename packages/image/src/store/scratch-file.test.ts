import assert from 'node:assert/strict';
import { watch } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { createLayout } from './open.ts';
import { scratch } from './scratch.testkit.ts';
import { openScratchFile } from './scratch-file.ts';

test('a scratch file holds bytes, has no name, and does not keep a layout from being tidied', async () => {
  await using place = await scratch();
  const directory = join(place.directory, 'layout');
  const store = await createLayout(directory);
  const names: (string | null)[] = [];
  const watcher = watch(join(directory, 'ingest'), (_, name) => names.push(name));
  const file = await openScratchFile(store);
  try {
    await file.write(Buffer.from('bytes'), 0, 5, 0);
    assert.equal((await file.read(Buffer.alloc(8), 0, 8, 0)).bytesRead, 5);
    assert.deepEqual(await readdir(join(directory, 'ingest')), []);
  } finally {
    await file.close();
  }
  // Changes are told in their order: after this one, nothing is to come.
  await writeFile(join(directory, 'ingest', 'named'), '');
  while (!names.includes('named')) await setTimeout(10);
  watcher.close();
  if (process.platform === 'linux')
    assert.deepEqual(
      names.filter((name) => name?.startsWith('scratch-')),
      [],
      'not even for a moment: a kill would leave it',
    );
  await rm(join(directory, 'ingest', 'named'));
  await store.tag('x', await store.put(Buffer.from('{}'), { mediaType: 'application/json' }));
  await store[Symbol.asyncDispose]();
  assert.deepEqual((await readdir(directory)).sort(), ['blobs', 'index.json', 'oci-layout']);
});
