import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { textImage } from '../images.testkit.ts';
import { openStore } from '../open.ts';
import { scratch } from '../scratch.testkit.ts';
import { removeBlob } from './remove-blob.ts';

test('a blob goes when nothing needs it, and stays while a name or a lease does', async () => {
  await using place = await scratch();
  await using store = await openStore(join(place.directory, 'store'));
  const image = await textImage(store, ['a'], { name: 'example.com/a:1' });
  const { digest } = await store.put(Buffer.from('alone'), { mediaType: 'text/plain' });
  {
    await using lease = await store.lease({ purpose: 'a test' });
    await lease.add([digest]);
    const leased = await removeBlob(store, digest);
    assert.equal(leased?.kept, true);
    assert.match(leased.reason, /^in lease of pid \d+: a test$/);
  }
  assert.equal((await removeBlob(store, digest))?.kept, false);
  assert.equal(await store.size(digest), undefined);
  assert.equal(await removeBlob(store, digest), undefined);

  const { layers } = (await store.image('example.com/a:1')).manifest;
  const layer = layers[0]?.digest;
  assert.ok(layer !== undefined);
  const named = await removeBlob(store, layer);
  assert.deepEqual([named?.kept, named?.reason], [true, 'tagged by example.com/a:1']);
  await store.untag('example.com/a:1');
  assert.equal((await removeBlob(store, layer))?.kept, false);
  assert.equal((await removeBlob(store, image.digest))?.kept, false);
});
