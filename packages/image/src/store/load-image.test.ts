import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeImage, writeIndex } from '../build/image.ts';
import { buildLayer } from '../build/layer.ts';
import type { Descriptor } from '../descriptor.ts';
import { digestBytes } from '../digest/hasher.ts';
import { encodeJson } from '../json/encode.ts';
import { MediaType } from '../media-types.ts';
import { hostPlatform } from '../platform/host.ts';
import { parsePlatform } from '../platform/parse.ts';
import type { Platform } from '../platform.ts';
import { loadImage } from './load-image.ts';
import { createMemoryStore } from './memory-store.ts';
import type { ImageStore } from './store.ts';

const foreign: Platform = parsePlatform(
  hostPlatform().architecture === 's390x' ? 'linux/ppc64le' : 'linux/s390x',
);
const rejected = (code: string, rest: object = {}): object => ({ code, ...rest });

async function imageFor(store: ImageStore, platform: Platform): Promise<Descriptor> {
  const layers = [await buildLayer([{ header: { name: 'f' }, body: Buffer.from(platform.architecture) }])];
  return writeImage(store, { layers, platform });
}

/** The descriptor without its platform, as many tools write it into an index. */
function silent({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}

test('a single manifest is taken as it is, unless a platform is asked for', async () => {
  const store = createMemoryStore();
  const descriptor = await imageFor(store, foreign);
  const image = await loadImage(store, descriptor, { name: 'mine' });
  assert.deepEqual([image.name, image.platform, image.descriptor], ['mine', foreign, descriptor]);
  assert.equal(digestBytes(image.rawManifest), descriptor.digest);
  assert.equal(digestBytes(image.rawConfig), image.manifest.config.digest);
  assert.equal(image.blobFile?.(descriptor), undefined);
  await loadImage(store, descriptor, { platform: foreign });
  await assert.rejects(
    loadImage(store, descriptor, { platform: parsePlatform('linux/riscv64') }),
    rejected('ERR_OCI_PLATFORM_NOT_FOUND', {
      message: /is for linux\/(s390x|ppc64le), not for linux\/riscv64/,
    }),
  );
});

test('an index leads to the image of the host, or of the platform that is asked for', async () => {
  const store = createMemoryStore();
  const [mine, other] = [await imageFor(store, hostPlatform()), await imageFor(store, foreign)];
  const index = await writeIndex(store, { manifests: [other, mine] });
  assert.equal((await loadImage(store, index)).descriptor.digest, mine.digest);
  assert.equal((await loadImage(store, index, { platform: foreign })).descriptor.digest, other.digest);
  await assert.rejects(
    loadImage(store, index, { platform: parsePlatform('linux/riscv64') }),
    rejected('ERR_OCI_PLATFORM_NOT_FOUND', { hint: new RegExp(foreign.architecture) }),
  );
});

test('indexes within an index are searched, and configs asked when the index says nothing', async () => {
  const store = createMemoryStore();
  const [mine, other] = [await imageFor(store, hostPlatform()), await imageFor(store, foreign)];
  const inner = await writeIndex(store, { manifests: [silent(other), silent(mine)] });
  const outer = await writeIndex(store, { manifests: [await writeIndex(store, { manifests: [inner] })] });
  assert.equal((await loadImage(store, outer)).descriptor.digest, mine.digest);
  const found = await loadImage(store, outer, { platform: foreign });
  assert.equal(found.descriptor.digest, other.digest);
});

test('a lonely manifest that says no platform is taken', async () => {
  const store = createMemoryStore();
  const index = await writeIndex(store, { manifests: [silent(await imageFor(store, foreign))] });
  assert.deepEqual((await loadImage(store, index)).platform, foreign);
});

test('an entry that fits is opened without looking at those that are not there', async () => {
  const store = createMemoryStore();
  const mine = await imageFor(store, hostPlatform());
  const missing = (mediaType: string): Descriptor => ({
    mediaType,
    digest: digestBytes(Buffer.from(mediaType)),
    size: 9,
  });
  const raw = encodeJson({
    schemaVersion: 2,
    mediaType: MediaType.index,
    manifests: [missing(MediaType.index), missing(MediaType.manifest), mine],
  });
  const index = await store.put(raw, { mediaType: MediaType.index });
  assert.equal((await loadImage(store, index)).descriptor.digest, mine.digest);
});

test('an index of absurd depth or length is refused', async () => {
  const store = createMemoryStore();
  let index = await writeIndex(store, { manifests: [silent(await imageFor(store, foreign))] });
  for (let depth = 0; depth < 9; depth++) index = await writeIndex(store, { manifests: [index] });
  await assert.rejects(loadImage(store, index), rejected('ERR_OCI_LIMIT_EXCEEDED', { message: /8 levels/ }));

  // Ten times ten times ten… entries in six small documents.
  let bomb = await writeIndex(store, { manifests: [] });
  for (let depth = 0; depth < 6; depth++)
    bomb = await writeIndex(store, { manifests: Array<Descriptor>(10).fill(bomb) });
  await assert.rejects(
    loadImage(store, bomb),
    rejected('ERR_OCI_LIMIT_EXCEEDED', { message: /1024 entries/ }),
  );
});

test('an artifact is called one', async () => {
  const store = createMemoryStore();
  const empty = await store.put(Buffer.from('{}'), { mediaType: MediaType.empty });
  const raw = encodeJson({
    schemaVersion: 2,
    mediaType: MediaType.manifest,
    artifactType: 'application/vnd.example.sbom',
    config: empty,
    layers: [empty],
  });
  const artifact = await store.put(raw, { mediaType: MediaType.manifest });
  await assert.rejects(
    loadImage(store, artifact, { name: 'sbom' }),
    rejected('ERR_OCI_MEDIA_TYPE_UNSUPPORTED', {
      message: /^sbom is an artifact/,
      hint: /vnd\.example\.sbom/,
    }),
  );
  const posing = await store.put(Buffer.from('{}'), { mediaType: MediaType.config });
  const manifest = encodeJson({
    schemaVersion: 2,
    mediaType: MediaType.manifest,
    config: posing,
    layers: [],
  });
  await assert.rejects(
    loadImage(store, await store.put(manifest, { mediaType: MediaType.manifest })),
    rejected('ERR_OCI_CONFIG_INVALID', { hint: /artifact/ }),
  );
});

test('embedded data counts only when it is the content', async () => {
  const store = createMemoryStore();
  const descriptor = await imageFor(store, foreign);
  const raw = await store.readAll(descriptor);
  const elsewhere = createMemoryStore();
  const { manifest, rawConfig } = await loadImage(store, descriptor);
  await elsewhere.put(rawConfig, { mediaType: manifest.config.mediaType });
  const embedded = { ...descriptor, data: Buffer.from(raw).toString('base64') };
  assert.equal((await loadImage(elsewhere, embedded)).descriptor.digest, descriptor.digest);
  const forged = Buffer.from(raw);
  forged[forged.length - 2] = 0x20;
  await assert.rejects(
    loadImage(store, { ...embedded, data: forged.toString('base64') }),
    rejected('ERR_OCI_DIGEST_MISMATCH'),
  );
  await assert.rejects(loadImage(store, { ...embedded, data: 'AAAA' }), rejected('ERR_OCI_SIZE_MISMATCH'));
});

test('a name that the store does not have is an error that helps', async () => {
  const store = createMemoryStore();
  await assert.rejects(store.image('x'), rejected('ERR_OCI_IMAGE_NOT_FOUND', { hint: /pull/ }));
  await store.tag('docker.io/library/debian:12', await imageFor(store, hostPlatform()));
  await assert.rejects(store.image('x'), rejected('ERR_OCI_IMAGE_NOT_FOUND', { hint: /debian:12/ }));
  const descriptor = await store.resolve('docker.io/library/debian:12');
  assert.ok(descriptor !== undefined);
  assert.equal((await store.image(descriptor)).name, 'docker.io/library/debian:12');
  assert.equal((await store.image('debian:12')).descriptor.digest, descriptor.digest, 'as people say it');
});

test('opening stops when aborted', async () => {
  const store = createMemoryStore();
  const descriptor = await imageFor(store, foreign);
  const signal = AbortSignal.abort(new Error('no'));
  await assert.rejects(loadImage(store, descriptor, { signal }), { message: 'no' });
  await assert.rejects(store.image(descriptor, { signal }), { message: 'no' });
});
