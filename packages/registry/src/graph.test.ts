import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { type Descriptor, encodeJson, MediaType, parseDigest } from '@ocijs/image';
import { blobsOf, chooseAll, chooseOne, walkGraph } from './graph.ts';

function digest(number: number): Descriptor['digest'] {
  return parseDigest(`sha256:${number.toString(16).padStart(64, '0')}`);
}

function indexTo(...numbers: readonly number[]): Uint8Array {
  const manifests = numbers.map((number) => ({
    mediaType: MediaType.index,
    digest: digest(number),
    size: 10,
  }));
  return encodeJson({ schemaVersion: 2, mediaType: MediaType.index, manifests });
}

const top: Descriptor = { mediaType: MediaType.index, digest: digest(0), size: 10 };

test('a circle of indexes ends', async () => {
  const loads: string[] = [];
  const load = async ({ digest: asked }: Descriptor): Promise<Uint8Array> => {
    loads.push(asked);
    return asked === digest(0) ? indexTo(1) : indexTo(0);
  };
  const graph = await walkGraph(top, { load, choose: chooseAll });
  assert.equal(graph.indexes.length, 2);
  assert.equal(loads.length, 2);
});

test('a tower of indexes is refused', async () => {
  let next = 1;
  const load = async (): Promise<Uint8Array> => indexTo(next++);
  await assert.rejects(walkGraph(top, { load, choose: chooseAll }), { code: 'ERR_OCI_LIMIT_EXCEEDED' });
});

test('an index with too many entries is refused', async () => {
  const load = async ({ digest: asked }: Descriptor): Promise<Uint8Array> =>
    asked === digest(0) ? indexTo(...Array.from({ length: 1_001 }, (_, number) => number + 1)) : indexTo();
  await assert.rejects(walkGraph(top, { load, choose: chooseAll }), { code: 'ERR_OCI_LIMIT_EXCEEDED' });
});

test('entries of unknown types are told apart, blobs are counted once', async () => {
  const layer = { mediaType: MediaType.layerGzip, digest: digest(9), size: 1 };
  const manifest = encodeJson({
    schemaVersion: 2,
    mediaType: MediaType.manifest,
    config: { mediaType: MediaType.config, digest: digest(8), size: 1 },
    layers: [layer, layer],
  });
  const entries = [
    {
      mediaType: MediaType.manifest,
      digest: digest(1),
      size: manifest.length,
      platform: { os: 'linux', architecture: 'amd64' },
    },
    { mediaType: 'application/x-other', digest: digest(2), size: 1 },
  ];
  const index = encodeJson({ schemaVersion: 2, mediaType: MediaType.index, manifests: entries });
  const load = async ({ digest: asked }: Descriptor): Promise<Uint8Array> =>
    asked === digest(0) ? index : manifest;
  const graph = await walkGraph(top, { load, choose: chooseAll });
  assert.equal(graph.unknown.length, 1);
  assert.deepEqual(
    blobsOf(graph.manifests).map((blob) => blob.digest),
    [digest(8), digest(9)],
  );
  const one = await walkGraph(top, { load, choose: chooseOne({ os: 'linux', architecture: 'amd64' }) });
  assert.equal(one.manifests.length, 1);
});

test('a document of another type than its descriptor says is refused', async () => {
  const load = async (): Promise<Uint8Array> => indexTo(1);
  await assert.rejects(walkGraph({ ...top, mediaType: MediaType.manifest }, { load, choose: chooseAll }), {
    code: /ERR_OCI_/,
  });
});

test('the manifests of an index are loaded side by side, and come in its order', async () => {
  const manifest = encodeJson({
    schemaVersion: 2,
    mediaType: MediaType.manifest,
    config: { mediaType: MediaType.config, digest: digest(8), size: 1 },
    layers: [],
  });
  const entries = [1, 2, 3].map((number) => ({
    mediaType: MediaType.manifest,
    digest: digest(number),
    size: manifest.length,
  }));
  const index = encodeJson({ schemaVersion: 2, mediaType: MediaType.index, manifests: entries });
  let loading = 0;
  let most = 0;
  const load = async ({ digest: asked }: Descriptor): Promise<Uint8Array> => {
    if (asked === digest(0)) return index;
    loading++;
    most = Math.max(most, loading);
    await setImmediate();
    loading--;
    return manifest;
  };
  const { manifests } = await walkGraph(top, { load, choose: chooseAll, concurrency: 3 });
  assert.deepEqual(
    manifests.map(({ descriptor }) => descriptor.digest),
    [1, 2, 3].map(digest),
  );
  assert.equal(most, 3);
});
