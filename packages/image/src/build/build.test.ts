import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { digestBytes } from '../digest/hasher.ts';
import { parsePlatform } from '../platform/parse.ts';
import { checkStore } from '../store/check/check-store.ts';
import { collectGarbage } from '../store/garbage/collect-garbage.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import { openStore } from '../store/open.ts';
import { scratch } from '../store/scratch.testkit.ts';
import { readTar } from '../tar/reader.ts';
import { validateImage } from '../validate/validate-image.ts';
import { type ImageDestination, writeImage, writeIndex } from './image.ts';
import { buildLayer } from './layer.ts';

const platform = parsePlatform('linux/arm64/v8');
const entries = [
  { header: { name: 'z/', type: 'directory' } },
  { header: { name: 'z/hello', mode: 0o755, mtimeNs: 1_500_000_000n }, body: Buffer.from('hello\n') },
  { header: { name: 'a', type: 'symlink', linkname: 'z/hello' } },
  { header: { name: '.wh.gone' } },
] as const;

test('a layer holds the entries in their order, in each compression', async () => {
  const gzip = await buildLayer(entries);
  const zstd = await buildLayer(entries, { compression: 'zstd' });
  const none = await buildLayer(entries, { compression: 'none' });
  assert.deepEqual(gunzipSync(gzip.bytes), none.bytes);
  assert.deepEqual(zstdDecompressSync(zstd.bytes), none.bytes);
  for (const layer of [gzip, zstd, none]) {
    assert.equal(layer.diffId, digestBytes(none.bytes));
    assert.equal(layer.descriptor.digest, digestBytes(layer.bytes));
    assert.equal(layer.descriptor.size, layer.bytes.length);
  }
  assert.deepEqual(
    [gzip, zstd, none].map(({ descriptor }) => descriptor.mediaType.split('.tar')[1]),
    ['+gzip', '+zstd', ''],
  );
  const names: string[] = [];
  const source = (async function* () {
    yield none.bytes;
  })();
  for await (const { header } of readTar(source)) names.push(header.name);
  assert.deepEqual(names, ['z/', 'z/hello', 'a', '.wh.gone']);
});

test('the same input gives the same image, whatever the clock says', async () => {
  const write = async (): Promise<string> => {
    const layers = [await buildLayer(entries, { createdBy: 'COPY hello /z/' })];
    return (await writeImage(createMemoryStore(), { layers, platform, config: { Cmd: ['/a'] } })).digest;
  };
  const first = await write();
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(await write(), first);
});

test('an image says what it was told, and is right', async () => {
  const store = createMemoryStore();
  const layers = [
    await buildLayer(entries, { createdBy: 'one' }),
    await buildLayer([], { compression: 'zstd' }),
  ];
  const descriptor = await writeImage(store, {
    layers,
    platform,
    config: { Entrypoint: ['/a'], Env: ['PATH=/bin'] },
    created: 1_700_000_000,
    author: 'me',
    annotations: { 'org.example': 'x' },
    name: 'docker.io/library/test:1',
  });
  assert.deepEqual(descriptor.platform, platform);
  const image = await store.image('docker.io/library/test:1', { platform });
  assert.equal(image.descriptor.digest, descriptor.digest);
  assert.deepEqual(image.manifest.annotations, { 'org.example': 'x' });
  assert.deepEqual(image.config, {
    architecture: 'arm64',
    os: 'linux',
    variant: 'v8',
    created: '2023-11-14T22:13:20Z',
    author: 'me',
    config: { Entrypoint: ['/a'], Env: ['PATH=/bin'] },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: [
      { created: '2023-11-14T22:13:20Z', created_by: 'one' },
      { created: '2023-11-14T22:13:20Z', created_by: 'oci build' },
    ],
  });
  assert.deepEqual(await validateImage(image), []);
});

test('an index brings platforms under one name', async () => {
  const store = createMemoryStore();
  const manifests = [];
  for (const name of ['linux/amd64', 'linux/arm64', 'linux/arm/v7'])
    manifests.push(
      await writeImage(store, { layers: [await buildLayer(entries)], platform: parsePlatform(name) }),
    );
  await writeIndex(store, { manifests, name: 'multi' });
  for (const [position, name] of ['linux/amd64', 'linux/arm64', 'linux/arm/v7'].entries()) {
    const image = await store.image('multi', { platform: parsePlatform(name) });
    assert.equal(image.descriptor.digest, manifests[position]?.digest);
    assert.deepEqual(await validateImage(image), []);
  }
});

test('what the store lacks cannot be written about', async () => {
  const store = createMemoryStore();
  const { descriptor, diffId } = await buildLayer(entries);
  await assert.rejects(writeImage(store, { layers: [{ descriptor, diffId }], platform }), {
    code: 'ERR_OCI_BLOB_NOT_FOUND',
  });
  await assert.rejects(writeIndex(store, { manifests: [descriptor] }), { code: 'ERR_OCI_BLOB_NOT_FOUND' });
  assert.deepEqual(await store.list(), []);
});

test('building stops when aborted', async () => {
  const signal = AbortSignal.abort(new Error('no'));
  await assert.rejects(buildLayer(entries, { signal }), { message: 'no' });
  await assert.rejects(writeImage(createMemoryStore(), { layers: [], signal }), { message: 'no' });
  await assert.rejects(writeIndex(createMemoryStore(), { manifests: [], signal }), { message: 'no' });
});

test('a collection in the middle takes nothing of an image that is to get a name', async () => {
  await using place = await scratch();
  await using store = await openStore(place.directory);
  const collecting: ImageDestination = {
    size: (digest) => store.size(digest),
    tag: (name, descriptor) => store.tag(name, descriptor),
    lease: (options) => store.lease(options),
    async put(bytes, options) {
      const written = await store.put(bytes, options);
      await collectGarbage(store, { graceMs: 0 });
      return written;
    },
  };
  const layers = [await buildLayer(entries), await buildLayer(entries, { compression: 'none' })];
  const image = await writeImage(collecting, { layers, platform, name: 'example.com/app:v1' });
  await writeIndex(collecting, { manifests: [image], name: 'example.com/app:all' });
  assert.deepEqual((await checkStore(store)).problems, []);
  const { blobs } = await collectGarbage(store, { graceMs: 0 });
  assert.equal(blobs.filter(({ kept }) => kept).length, 5);
});
