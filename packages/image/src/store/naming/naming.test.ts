import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { MediaType } from '../../media-types.ts';
import { digestsOf, makeOld, textImage } from '../images.testkit.ts';
import { openStore } from '../open.ts';
import { scratch } from '../scratch.testkit.ts';
import type { Store } from '../store.ts';
import { findImages } from './find-images.ts';
import { removeImage } from './remove-image.ts';
import { tagImage } from './tag-image.ts';

async function storeFor(): Promise<{ readonly store: Store } & AsyncDisposable> {
  const place = await scratch();
  const store = await openStore(join(place.directory, 'store'));
  return { store, [Symbol.asyncDispose]: () => place[Symbol.asyncDispose]() };
}

const namesOf = async (store: Store): Promise<string[]> =>
  (await store.list()).map(({ name }) => name).sort();

test('an image is found by its name, a shorter one, or its digest', async () => {
  await using place = await storeFor();
  const { store } = place;
  const full = 'docker.io/library/debian:latest';
  const image = await textImage(store, ['a'], { name: full });
  await store.tag('example.com/copy:1', image);
  await textImage(store, ['b'], { name: 'v1' });
  const found = async (typed: string): Promise<string[]> =>
    (await findImages(store, typed)).map(({ name }) => name).sort();
  assert.deepEqual(await found('debian'), [full]);
  assert.deepEqual(await found('library/debian:latest'), [full]);
  assert.deepEqual(await found('v1'), ['v1']);
  assert.deepEqual(await found('debian:12'), []);
  const both = [full, 'example.com/copy:1'].sort();
  assert.deepEqual(await found(image.digest), both);
  assert.deepEqual(await found(image.digest.slice(7, 19)), both);
  assert.deepEqual(await found(image.digest.slice(0, 30)), both);
  assert.deepEqual(await found('0123456789ab'), []);
  await assert.rejects(findImages(store, 'Not a name'), { code: 'ERR_OCI_REFERENCE_INVALID' });
});

test('an image gets one more name, a name that is taken moves', async () => {
  await using place = await storeFor();
  const { store } = place;
  const a = await textImage(store, ['a'], { name: 'docker.io/library/a:latest' });
  await textImage(store, ['b'], { name: 'docker.io/library/b:latest' });
  const { name } = await tagImage(store, 'a', { target: 'b' });
  assert.equal(name, 'docker.io/library/b:latest');
  assert.equal((await store.resolve(name))?.digest, a.digest);
  await tagImage(store, a.digest, { target: 'localhost:5000/a:new' });
  assert.deepEqual(await namesOf(store), [
    'docker.io/library/a:latest',
    'docker.io/library/b:latest',
    'localhost:5000/a:new',
  ]);
  await assert.rejects(tagImage(store, 'missing', { target: 'c' }), { code: 'ERR_OCI_IMAGE_NOT_FOUND' });
  await assert.rejects(tagImage(store, 'a', { target: `c@${a.digest}` }), {
    code: 'ERR_OCI_REFERENCE_INVALID',
  });
});

test('removing a name removes what nothing else needs', async () => {
  await using place = await storeFor();
  const { store } = place;
  const one = await textImage(store, ['shared', 'one'], { name: 'one' });
  const two = await textImage(store, ['shared', 'two'], { name: 'two' });
  await store.tag('again', one);
  const unrelated = await store.put(Buffer.from('x'), { mediaType: MediaType.layer });
  const first = await removeImage(store, 'one');
  assert.ok(first.blobs.every(({ kept }) => kept));
  assert.equal(first.blobs.find(({ digest }) => digest === one.digest)?.reason, 'tagged by again');
  const [manifest, config, shared, layer] = await digestsOf(store, one);
  const second = await removeImage(store, 'again');
  const removed = second.blobs.filter(({ kept }) => !kept).map(({ digest }) => digest);
  // The shared layer was taken up by the second image after the first was stored; it stays for that image anyway.
  assert.deepEqual(removed.sort(), [manifest, config, layer].sort());
  assert.equal(second.blobs.find(({ digest }) => digest === shared)?.reason, 'tagged by two');
  await store.readAll(unrelated);
  for (const digest of await digestsOf(store, two)) assert.ok(await store.size(digest));
  await assert.rejects(removeImage(store, 'one'), { code: 'ERR_OCI_IMAGE_NOT_FOUND' });
});

test('what a container, a lease or a writer needs outlives its name', async () => {
  await using place = await storeFor();
  const { store } = place;
  const image = await textImage(store, ['a'], { name: 'a' });
  const roots = [{ digest: image.digest, reason: 'used by container web' }];
  const { blobs } = await removeImage(store, 'a', { roots });
  assert.deepEqual([...new Set(blobs.map(({ reason }) => reason))], ['used by container web']);

  await store.tag('a', image);
  {
    await using _lease = await store.lease({
      digests: await digestsOf(store, image),
      purpose: 'unpack of a',
    });
    assert.ok((await removeImage(store, 'a')).blobs.every(({ kept }) => kept));
  }
  await store.tag('a', image);
  await makeOld(store, await digestsOf(store, image));
  // Somebody builds on the layer right now, and has not named the result yet.
  const [, , layer] = await digestsOf(store, image);
  const { manifest } = await store.image(image);
  await using ingest = await store.ingest(manifest.layers[0] ?? image);
  await ingest.commit();
  await ingest[Symbol.asyncDispose]();
  const last = await removeImage(store, 'a');
  assert.deepEqual(
    last.blobs.filter(({ kept }) => kept).map(({ digest, reason }) => [digest, reason]),
    [[layer, 'younger than 24 h']],
  );
});

test('a damaged image can be removed; without prune only the name goes', async () => {
  await using place = await storeFor();
  const { store } = place;
  const image = await textImage(store, ['a'], { name: 'a' });
  await store.tag('b', image);
  assert.deepEqual((await removeImage(store, 'b', { prune: false })).blobs, []);
  await writeFile(store.file(image.digest), '{}');
  assert.deepEqual((await removeImage(store, 'a')).blobs, []);
  assert.deepEqual(await namesOf(store), []);
});
