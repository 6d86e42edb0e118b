import assert from 'node:assert/strict';
import { appendFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeIndex } from '../../build/image.ts';
import { digestBytes } from '../../digest/hasher.ts';
import { encodeJson } from '../../json/encode.ts';
import { MediaType } from '../../media-types.ts';
import { digestsOf, textImage } from '../images.testkit.ts';
import { openStore } from '../open.ts';
import { scratch } from '../scratch.testkit.ts';
import type { Store } from '../store.ts';
import { checkStore } from './check-store.ts';

async function storeFor(): Promise<{ readonly store: Store } & AsyncDisposable> {
  const place = await scratch();
  const store = await openStore(join(place.directory, 'store'));
  return { store, [Symbol.asyncDispose]: () => place[Symbol.asyncDispose]() };
}

test('a store in use is sound: names, unnamed blobs, partial downloads, leases and locks', async () => {
  await using place = await storeFor();
  const { store } = place;
  const image = await textImage(store, ['a', 'b'], { name: 'example.com/x:1' });
  await textImage(store, ['c']);
  await using _lease = await store.lease({ digests: [image.digest], purpose: 'x' });
  await using ingest = await store.ingest({
    ...image,
    digest: digestBytes(Buffer.from('partial')),
    size: 7,
  });
  await ingest.write(Buffer.from('par'));
  await mkdir(join(store.directory, 'containers'));
  const report = await checkStore(store);
  assert.deepEqual([report.sound, report.problems, report.blobs], [true, [], 7]);
});

test('every damaged and every missing blob is named, with the images that need it', async () => {
  await using place = await storeFor();
  const { store } = place;
  const image = await textImage(store, ['shared', 'b'], { name: 'example.com/x:1' });
  await textImage(store, ['shared'], { name: 'example.com/y:1' });
  const [, config, shared, layer] = await digestsOf(store, image);
  assert.ok(config && shared && layer);
  await appendFile(store.file(shared), 'x');
  await rm(store.file(layer));
  await writeFile(store.file(config), 'other');
  const { problems, sound } = await checkStore(store);
  assert.equal(sound, false);
  assert.deepEqual(
    problems.map(({ kind, digest, images }) => [kind, digest, images]).sort(),
    [
      ['damaged-blob', config, undefined],
      ['damaged-blob', shared, undefined],
      ['missing-blob', layer, ['example.com/x:1']],
    ].sort(),
  );
  assert.match(problems.map(({ message }) => message).join('\n'), /layer sha256:\S+ of \d+ bytes is missing/);
});

test('repair puts damaged blobs away, deletes nothing, and a store that gets them again is sound', async () => {
  await using place = await storeFor();
  const { store } = place;
  const bytes = Buffer.from('a layer');
  const image = await textImage(store, ['a'], { name: 'example.com/x:1' });
  const blob = await store.put(bytes, { mediaType: MediaType.layer });
  await writeFile(store.file(blob.digest), 'damaged');
  const plain = await checkStore(store);
  assert.equal(plain.problems[0]?.quarantined, undefined);
  const { problems } = await checkStore(store, { repair: true });
  const quarantined = `quarantine/${blob.digest.replace(':', '-')}`;
  assert.deepEqual(
    problems.map((problem) => problem.quarantined),
    [quarantined],
  );
  assert.equal(await readFile(join(store.directory, quarantined), 'utf8'), 'damaged');
  assert.equal((await checkStore(store)).sound, true, 'nothing needs it');

  await store.put(bytes, { mediaType: MediaType.layer });
  await writeFile(store.file(blob.digest), 'damaged again');
  const again = await checkStore(store, { repair: true });
  assert.equal(again.problems[0]?.quarantined, `${quarantined}.1`);
  assert.equal((await readdir(join(store.directory, 'quarantine'))).length, 2);

  const manifest = await readFile(store.file(image.digest));
  await writeFile(store.file(image.digest), 'x');
  await checkStore(store, { repair: true });
  assert.deepEqual(
    (await checkStore(store)).problems.map(({ kind, digest }) => [kind, digest]),
    [['missing-blob', image.digest]],
  );
  await store.put(manifest, { mediaType: MediaType.manifest });
  assert.equal((await checkStore(store)).sound, true);
});

test('of an index one platform is enough, none is not; foreign layers may be elsewhere', async () => {
  await using place = await storeFor();
  const { store } = place;
  const image = await textImage(store, ['a']);
  const other = digestBytes(Buffer.from('other'));
  const index = {
    schemaVersion: 2,
    mediaType: MediaType.index,
    manifests: [image, { mediaType: MediaType.manifest, digest: other, size: 5 }],
  };
  await store.tag('example.com/i:1', await store.put(encodeJson(index), { mediaType: MediaType.index }));
  assert.deepEqual((await checkStore(store)).problems, []);
  const config = (await store.image(image)).manifest.config;
  const foreign = {
    mediaType: MediaType.nondistributableLayerGzip,
    digest: other,
    size: 5,
    urls: ['https://x.example'],
  };
  const manifest = { schemaVersion: 2, mediaType: MediaType.manifest, config, layers: [foreign] };
  await store.tag(
    'example.com/w:1',
    await store.put(encodeJson(manifest), { mediaType: MediaType.manifest }),
  );
  assert.deepEqual((await checkStore(store)).problems, []);
  await rm(store.file(image.digest));
  const { problems } = await checkStore(store);
  assert.deepEqual(
    problems.map(({ kind, digest, images }) => [kind, digest, images]),
    [['missing-blob', image.digest, ['example.com/i:1']]],
  );
});

test('an index that leads in a circle is no problem, a manifest that is none is', async () => {
  await using place = await storeFor();
  const { store } = place;
  const image = await textImage(store, ['a']);
  const platform = { os: 'linux', architecture: 'amd64' } as const;
  const index = await writeIndex(store, { manifests: [{ ...image, platform }] });
  await writeIndex(store, {
    manifests: [
      { ...index, platform },
      { ...index, platform: { os: 'linux', architecture: 'arm64' } },
    ],
    name: 'example.com/nested:1',
  });
  assert.deepEqual((await checkStore(store)).problems, []);
  const nonsense = await store.put(Buffer.from('{"schemaVersion":1}'), { mediaType: MediaType.manifest });
  await store.tag('example.com/nonsense:1', nonsense);
  const { problems } = await checkStore(store);
  assert.deepEqual(
    problems.map(({ kind, digest }) => [kind, digest]),
    [['invalid-document', nonsense.digest]],
  );
});

test('an index.json that cannot be read is a problem, a stray file is a remark', async () => {
  await using place = await storeFor();
  const { store } = place;
  for (const path of ['notes.txt', 'blobs/x', 'blobs/sha256/x', 'ingest/x', 'leases/x', 'locks/x']) {
    await mkdir(join(store.directory, path, '..'), { recursive: true });
    await writeFile(join(store.directory, path), '');
  }
  const strays = await checkStore(store, { repair: true });
  assert.equal(strays.sound, true);
  assert.deepEqual(strays.problems.map(({ path }) => path).sort(), [
    'blobs/sha256/x',
    'blobs/x',
    'ingest/x',
    'leases/x',
    'locks/x',
    'notes.txt',
  ]);
  await writeFile(join(store.directory, 'index.json'), '{"schemaVersion":2}');
  const { problems, sound } = await checkStore(store);
  assert.equal(sound, false);
  assert.equal(problems[0]?.kind, 'invalid-layout');
  assert.match(problems[0]?.message ?? '', /index\.json is not the index/);
});
