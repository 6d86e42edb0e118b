import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeImage, writeIndex } from '../build/image.ts';
import { buildLayer } from '../build/layer.ts';
import type { Descriptor } from '../descriptor.ts';
import { encodeJson } from '../json/encode.ts';
import { MediaType } from '../media-types.ts';
import { parsePlatform } from '../platform/parse.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import type { ImageStore } from '../store/store.ts';
import { validateTree } from './validate-tree.ts';

async function image(store: ImageStore, platform: string): Promise<Descriptor> {
  const layer = await buildLayer([{ header: { name: platform.replace('/', '-') }, body: Buffer.from('x') }]);
  return writeImage(store, { layers: [layer], platform: parsePlatform(platform) });
}

async function artifact(store: ImageStore, fields: object): Promise<Descriptor> {
  const config = await store.put(Buffer.from('{}'), { mediaType: MediaType.empty });
  const layer = await store.put(Buffer.from('{"a":1}'), { mediaType: 'application/json' });
  const manifest = { schemaVersion: 2, mediaType: MediaType.manifest, config, layers: [layer], ...fields };
  return store.put(encodeJson(manifest), { mediaType: MediaType.manifest });
}

async function found(store: ImageStore, top: Descriptor): Promise<readonly string[]> {
  const violations = await validateTree(store, top);
  return violations.map(({ document, jsonPath, code }) => `${document} ${jsonPath} ${code}`);
}

test('an index with images, attestations, artifacts and unknown entries is right', async () => {
  const store = createMemoryStore();
  const amd64 = await image(store, 'linux/amd64');
  const proof = await artifact(store, { artifactType: 'application/proof', subject: amd64 });
  const config = await store.put(Buffer.from('{"os":"unknown","architecture":"unknown"}'), {
    mediaType: MediaType.config,
  });
  const attestation = await artifact(store, { config });
  const unknown = await store.put(Buffer.from('x'), { mediaType: 'application/x-unknown' });
  const manifests = [amd64, await image(store, 'linux/arm64'), proof, attestation, unknown];
  assert.deepEqual(await found(store, await writeIndex(store, { manifests })), []);
});

test('everything that is wrong is told, with the digest of its document', async () => {
  const store = createMemoryStore();
  const amd64 = await image(store, 'linux/amd64');
  const missing = { ...amd64, digest: `sha256:${'0'.repeat(64)}` } as Descriptor;
  const layer = { mediaType: 'text/plain', digest: missing.digest, size: 5 };
  const untyped = await artifact(store, { layers: [layer] });
  const lying = { ...amd64, platform: parsePlatform('linux/s390x') };
  const manifests = [amd64, missing, untyped, lying];
  const index = await store.put(encodeJson({ schemaVersion: 2, mediaType: MediaType.index, manifests }), {
    mediaType: MediaType.index,
  });
  assert.deepEqual(await found(store, index), [
    'descriptor $ ERR_OCI_BLOB_NOT_FOUND',
    'manifest $.artifactType ERR_OCI_MANIFEST_INVALID',
    'manifest $.layers[0] ERR_OCI_BLOB_NOT_FOUND',
    'descriptor $.platform ERR_OCI_PLATFORM_INVALID',
  ]);
  const violations = await validateTree(store, index);
  assert.deepEqual(
    violations.map(({ digest }) => digest),
    [missing.digest, untyped.digest, untyped.digest, amd64.digest],
  );
});

test('all faults of one document are told, not the first alone', async () => {
  const store = createMemoryStore();
  const broken = {
    schemaVersion: 2,
    mediaType: MediaType.manifest,
    config: { mediaType: MediaType.config, digest: 'sha256:x', size: -1 },
    layers: [{ mediaType: 'no type', digest: `sha256:${'0'.repeat(64)}`, size: 1 }, 5],
    annotations: { a: 1 },
    Layers: [],
  };
  const top = await store.put(encodeJson(broken), { mediaType: MediaType.manifest });
  assert.deepEqual(await found(store, top), [
    'manifest $.Layers ERR_OCI_MANIFEST_INVALID',
    'manifest $.annotations.a ERR_OCI_MANIFEST_INVALID',
    'manifest $.config.digest ERR_OCI_MANIFEST_INVALID',
    'manifest $.config.size ERR_OCI_MANIFEST_INVALID',
    'manifest $.layers[0].mediaType ERR_OCI_MANIFEST_INVALID',
    'manifest $.layers[1] ERR_OCI_MANIFEST_INVALID',
  ]);
});

test('all faults of a config are told, and the layers are read as bytes', async () => {
  const store = createMemoryStore();
  const config = { os: 5, rootfs: { type: 'layers', diff_ids: ['x'] }, created: 'yesterday' };
  const layer = { mediaType: MediaType.layer, digest: `sha256:${'0'.repeat(64)}`, size: 5 };
  const top = await artifact(store, {
    config: await store.put(encodeJson(config), { mediaType: MediaType.config }),
    layers: [layer],
  });
  assert.deepEqual((await found(store, top)).toSorted(), [
    'config $.architecture ERR_OCI_CONFIG_INVALID',
    'config $.created ERR_OCI_CONFIG_INVALID',
    'config $.os ERR_OCI_CONFIG_INVALID',
    'config $.rootfs.diff_ids[0] ERR_OCI_CONFIG_INVALID',
    'manifest $.layers[0] ERR_OCI_BLOB_NOT_FOUND',
  ]);
});

test('null stands for no layers and no manifests, as Go writes it', async () => {
  const store = createMemoryStore();
  const rootfs = { type: 'layers', diff_ids: null };
  const config = await store.put(encodeJson({ os: 'linux', architecture: 'amd64', rootfs }), {
    mediaType: MediaType.config,
  });
  const empty = await artifact(store, { config, layers: null });
  assert.deepEqual((await store.image(empty)).manifest.layers, []);
  assert.deepEqual(await found(store, empty), []);
  const index = { schemaVersion: 2, mediaType: MediaType.index, manifests: null };
  assert.deepEqual(
    await found(store, await store.put(encodeJson(index), { mediaType: MediaType.index })),
    [],
  );
});
