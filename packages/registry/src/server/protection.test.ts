import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  checkStore,
  collectGarbage,
  type Descriptor,
  digestBytes,
  parseManifest,
  type Store,
} from '@ocijs/image';
import { makeImage, temporaryStore } from '../images.testkit.ts';
import { createRegistryClient } from '../index.ts';
import { startRegistry } from './index.ts';
import { createProtection } from './protection.ts';

const at = { repository: 'team/app', tag: 'v1' };
const options = { env: { HOME: '/nonexistent' }, retry: 0 };

/** Uploads what an image consists of; `between` runs after each step. */
async function pushSlowly(
  host: string,
  {
    store,
    image,
    between,
  }: { readonly store: Store; readonly image: Descriptor; readonly between: () => Promise<unknown> },
): Promise<void> {
  await using client = createRegistryClient(host, options);
  const bytes = await store.readAll(image);
  const { config, layers } = parseManifest(bytes);
  for (const descriptor of [config, ...layers]) {
    await client.uploadBlob(at.repository, descriptor, {
      descriptor,
      open: () => store.read(descriptor),
    } as never);
    await between();
  }
  await client.putManifest(at.repository, at.tag, { bytes, mediaType: image.mediaType });
  await between();
}

describe('garbage collection beside the embedded registry', () => {
  test('loses nothing of a push that takes its time, with no time of grace', async () => {
    await using made = await temporaryStore();
    await using served = await temporaryStore();
    await using registry = await startRegistry({ store: served.store });
    const image = await makeImage(made.store);
    const collect = () => collectGarbage(served.store, { graceMs: 0 });
    await pushSlowly(registry.host, { store: made.store, image, between: collect });
    // The second push finds all blobs there; the name that keeps them goes in the middle of it.
    await served.store.untag('team/app:v1');
    await pushSlowly(registry.host, { store: made.store, image, between: collect });
    assert.deepEqual((await checkStore(served.store)).problems, []);
    assert.equal((await collect()).blobs.filter(({ kept }) => kept).length, 4);
  });

  test('a blob that is there when a client asks stays until it is named', async () => {
    await using made = await temporaryStore();
    await using registry = await startRegistry({ store: made.store });
    const blob = await made.store.put(Buffer.from('lonely'), { mediaType: 'text/plain' });
    await using client = createRegistryClient(registry.host, options);
    assert.equal(await client.hasBlob(at.repository, blob), true);
    await collectGarbage(made.store, { graceMs: 0 });
    assert.equal(await client.hasBlob(at.repository, blob), true);
  });

  test('what was deleted goes, though it was pushed a moment ago', async () => {
    await using made = await temporaryStore();
    await using registry = await startRegistry({ store: made.store });
    const bytes = Buffer.from('to be deleted');
    const digest = digestBytes(bytes);
    const url = `${registry.url}/v2/${at.repository}/blobs`;
    const pushed = await fetch(`${url}/uploads/?digest=${digest}`, { method: 'POST', body: bytes });
    assert.equal(pushed.status, 201);
    assert.equal((await fetch(`${url}/${digest}`, { method: 'DELETE' })).status, 202);
    assert.equal(await made.store.size(digest), undefined);
  });

  test('ends with the server, and for what was never named after one to two hours', async () => {
    await using made = await temporaryStore();
    const { store } = made;
    let now = 0;
    const blob = await store.put(Buffer.from('never named'), { mediaType: 'text/plain' });
    const other = await store.put(Buffer.from('another'), { mediaType: 'text/plain' });
    const isThere = async () => {
      await collectGarbage(store, { graceMs: 0 });
      return (await store.size(blob.digest)) !== undefined;
    };
    {
      await using protection = createProtection(store, { now: () => now });
      await protection.protect([blob.digest]);
      now = 3_600_000;
      await protection.protect([other.digest]);
      assert.equal(await isThere(), true);
      now = 7_200_000;
      await protection.protect([other.digest]);
      assert.equal(await isThere(), false);
    }
    assert.deepEqual(await readdir(join(store.directory, 'leases')).catch(() => []), []);
  });
});
