import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { writeImage } from '../build/image.ts';
import { type BuiltLayer, buildLayer } from '../build/layer.ts';
import { digestBytes } from '../digest/hasher.ts';
import type { OciEvent } from '../events.ts';
import { MediaType } from '../media-types.ts';
import { parsePlatform } from '../platform/parse.ts';
import type { ImageSource } from '../source.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import { openStore } from '../store/open.ts';
import { scratch } from '../store/scratch.testkit.ts';
import { validateImage } from './validate-image.ts';

const platform = parsePlatform('linux/amd64');
const entry = (name: string) => ({ header: { name }, body: Buffer.from(name.repeat(1000)) });

async function imageOf(layers: readonly BuiltLayer[]): Promise<ImageSource> {
  const store = createMemoryStore();
  return store.image(await writeImage(store, { layers, platform }), { platform });
}

/** A layer of arbitrary bytes, called what one likes. */
function layerOf(bytes: Uint8Array, mediaType: string = MediaType.layerGzip): BuiltLayer {
  return {
    bytes,
    descriptor: { mediaType, digest: digestBytes(bytes), size: bytes.length },
    diffId: digestBytes(bytes),
  };
}

async function found(image: ImageSource): Promise<string[]> {
  return (await validateImage(image)).map(
    ({ document, jsonPath, code }) => `${document} ${jsonPath} ${code}`,
  );
}

test('a right image has no violation, and its layers are reported', async () => {
  const image = await imageOf([
    await buildLayer([entry('a'), entry('b')]),
    await buildLayer([entry('c')], { compression: 'zstd' }),
    await buildLayer([], { compression: 'none' }),
  ]);
  const events: OciEvent[] = [];
  assert.deepEqual(await validateImage(image, { onEvent: (event) => events.push(event) }), []);
  const done = events.filter((event) => event.type === 'layer-done');
  assert.deepEqual(
    done.map(({ index, entries }) => [index, entries]),
    [
      [0, 2],
      [1, 1],
      [2, 0],
    ],
  );
  const progress = events.filter((event) => event.type === 'layer-progress' && event.index === 0).at(-1);
  assert.ok(progress?.type === 'layer-progress' && progress.done === progress.total);
});

test('a wrong diffID is told apart from a wrong digest', async () => {
  const layer = await buildLayer([entry('a')]);
  const image = await imageOf([{ ...layer, diffId: digestBytes(Buffer.from('other')) }]);
  assert.deepEqual(await found(image), ['config $.rootfs.diff_ids[0] ERR_OCI_DIGEST_MISMATCH']);
});

test('every layer is looked at, whatever is wrong with those before', async () => {
  const archive = (await buildLayer([entry('a')], { compression: 'none' })).bytes;
  const image = await imageOf([
    layerOf(Buffer.from('not gzip at all')),
    layerOf(gzipSync('x'.repeat(512))),
    layerOf(archive, 'application/x-unheard-of'),
    layerOf(gzipSync(archive).subarray(0, -9)),
    layerOf(archive.subarray(0, 700), MediaType.layer),
    await buildLayer([entry('b')]),
  ]);
  assert.deepEqual(await found(image), [
    'manifest $.layers[0] ERR_OCI_COMPRESSION_INVALID',
    'config $.rootfs.diff_ids[1] ERR_OCI_DIGEST_MISMATCH',
    'manifest $.layers[1] ERR_OCI_TAR_INVALID',
    'manifest $.layers[2].mediaType ERR_OCI_MEDIA_TYPE_UNSUPPORTED',
    'manifest $.layers[3] ERR_OCI_COMPRESSION_INVALID',
    'manifest $.layers[4] ERR_OCI_TAR_INVALID',
  ]);
});

test('a flipped byte on disk is found, also where it breaks the compression', async () => {
  await using place = await scratch();
  await using store = await openStore(place.directory);
  const layers = [await buildLayer([entry('a')]), await buildLayer([entry('b')], { compression: 'none' })];
  const image = await store.image(await writeImage(store, { layers, platform }), { platform });
  for (const { descriptor, bytes } of layers) {
    const flipped = Buffer.from(bytes);
    flipped[600] = 0xff ^ (flipped[600] ?? 0);
    flipped[30] = 0xff ^ (flipped[30] ?? 0);
    await writeFile(store.file(descriptor.digest), flipped);
  }
  // Which of gate and decompressor notices first depends on how much of the blob one chunk holds.
  const others = (line: string): boolean => !line.endsWith('ERR_OCI_COMPRESSION_INVALID');
  assert.deepEqual((await found(image)).filter(others), [
    'manifest $.layers[0] ERR_OCI_DIGEST_MISMATCH',
    'manifest $.layers[1] ERR_OCI_DIGEST_MISMATCH',
  ]);
});

test('missing layers are violations; those that need not be distributed may be missing', async () => {
  const first = await buildLayer([entry('a')]);
  const second = await buildLayer([entry('b')]);
  const foreign = {
    ...second,
    descriptor: { ...second.descriptor, mediaType: MediaType.dockerForeignLayerGzip },
  };
  const missing = (image: ImageSource): ImageSource => ({
    ...image,
    openBlob: (descriptor, options) => createMemoryStore().read(descriptor, options),
  });
  assert.deepEqual(await found(missing(await imageOf([first, foreign]))), [
    'manifest $.layers[0] ERR_OCI_BLOB_NOT_FOUND',
  ]);
});

test('documents are checked against each other', async () => {
  const image = await imageOf([await buildLayer([entry('a')])]);
  const [layer] = image.manifest.layers;
  assert.ok(layer !== undefined);
  const history = [{ created_by: 'x' }, { created_by: 'y' }];
  const changed: ImageSource = {
    ...image,
    descriptor: { ...image.descriptor, size: 1, platform: parsePlatform('linux/arm64') },
    manifest: { ...image.manifest, layers: [layer, layer] },
    config: { ...image.config, history: [...history, { created_by: 'z' }] },
    rawConfig: Buffer.from('[]'),
  };
  assert.deepEqual(await found(changed), [
    'descriptor $.digest ERR_OCI_SIZE_MISMATCH',
    'manifest $.config.digest ERR_OCI_SIZE_MISMATCH',
    'config $ ERR_OCI_CONFIG_INVALID',
    'config $.rootfs.diff_ids ERR_OCI_CONFIG_INVALID',
    'config $.history ERR_OCI_CONFIG_INVALID',
    'descriptor $.platform ERR_OCI_PLATFORM_INVALID',
  ]);
});

test('history may have empty layers, or be missing', async () => {
  const store = createMemoryStore();
  const layers = [await buildLayer([entry('a')])];
  const history = [{ created_by: 'ENV', empty_layer: true }, { created_by: 'COPY' }, { empty_layer: true }];
  for (const lines of [history, []]) {
    const descriptor = await writeImage(store, { layers, platform, history: lines });
    assert.deepEqual(await validateImage(await store.image(descriptor, { platform })), []);
  }
});

test('a failure that says nothing about the image is thrown, and so is an abort', async () => {
  const image = await imageOf([await buildLayer([entry('a')])]);
  const broken: ImageSource = {
    ...image,
    openBlob: () => failing(),
  };
  await assert.rejects(validateImage(broken), { message: 'network down' });
  await assert.rejects(validateImage(image, { signal: AbortSignal.abort(new Error('no')) }), {
    message: 'no',
  });
  const controller = new AbortController();
  const onEvent = (): void => controller.abort(new Error('seen enough'));
  await assert.rejects(validateImage(image, { signal: controller.signal, onEvent }), {
    message: 'seen enough',
  });
});

async function* failing(): AsyncGenerator<Uint8Array> {
  yield Buffer.alloc(0);
  throw new Error('network down');
}
