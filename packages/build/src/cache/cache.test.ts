import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MediaType, type Store, writeLayer } from '@ocijs/image';
import { isOciError } from '@ocijs/image/errors';
import type { BuildResult } from '../executor/types.ts';
import { type Scene, scene, skip } from '../testing/scene.ts';
import { type CacheConfig, cacheDocument, parseCacheConfig, readInlineCache } from './cache-config.ts';
import { mergeCaches, writeCacheManifest } from './export-cache.ts';
import type { CacheSource } from './imported-caches.ts';

const text = [
  'FROM busybox AS tools',
  'RUN echo tool > /tool && rm /tmp/old',
  'RUN echo other > /other',
  'FROM busybox',
  'WORKDIR /work',
  'COPY a /a',
  'COPY --from=tools /tool /tool',
  'RUN --mount=type=cache,id=c,target=/c cat /tool > /got; cat /c/x >> /got; echo kept >> /c/x',
].join('\n');

/** A cache as another machine would see it; `fetched` says what of it was read. */
function sourceOf(store: Store, config: Uint8Array | object): CacheSource & { readonly fetched: string[] } {
  const fetched: string[] = [];
  return {
    name: 'test',
    fetched,
    config: config instanceof Uint8Array ? config : Buffer.from(JSON.stringify(config)),
    openBlob(descriptor, options) {
      fetched.push(descriptor.digest);
      return store.read(descriptor, options);
    },
  };
}

const documentOf = ({ caches }: BuildResult, index = 0): object => cacheDocument(caches[index] ?? none);
const none: CacheConfig = { records: [], mounts: [] };

describe('caches of other machines', { skip }, () => {
  test('nothing runs that has run elsewhere, and only what is needed is fetched', async () => {
    await using here = await scene({ a: 'a' });
    const first = await here.build(text, { cacheTo: [{ mode: 'max' }, { mode: 'min' }] });
    await using there = await scene({ a: 'a' });
    const cache = sourceOf(here.store, documentOf(first));
    const second = await there.build(text, { cacheFrom: [cache] });
    assert.deepEqual(second.steps, { done: 0, cached: 6 });
    assert.equal(second.descriptor.digest, first.descriptor.digest);
    const own = second.image.manifest.layers.slice(1).map(({ digest }) => digest);
    assert.deepEqual(new Set(cache.fetched), new Set(own), 'of the stage tools nothing');
    const third = await there.build(text.replace('RUN --mount', 'RUN true; true\nRUN --mount'), {
      cacheFrom: [cache],
    });
    assert.deepEqual(third.steps, { done: 2, cached: 5 });

    await using elsewhere = await scene({ a: 'a' });
    const small = sourceOf(here.store, documentOf(first, 1));
    assert.deepEqual((await elsewhere.build(text, { cacheFrom: [small] })).steps, { done: 2, cached: 4 });
  });

  test('an image is a cache itself', async () => {
    await using here = await scene({ a: 'a' });
    const first = await here.build(text, { inlineCache: true });
    const config = readInlineCache(first.image.config);
    assert.ok(config !== undefined);
    await using there = await scene({ a: 'a' });
    const cacheFrom = [sourceOf(here.store, config)];
    const second = await there.build(text, { cacheFrom, inlineCache: true });
    assert.equal(second.steps.cached, 4);
    assert.equal(second.descriptor.digest, first.descriptor.digest);
  });

  test('cache mounts travel, too', async () => {
    await using here = await scene({ a: 'a' });
    const first = await here.build(text, { cacheTo: [{ mounts: true, format: 'zstd' }] });
    await using there = await scene({ a: 'b' });
    const source = sourceOf(here.store, documentOf(first));
    const second = await there.build(text, { cacheFrom: [source] });
    assert.equal((await there.files(second))['got'], 'file 644 0:0');
    const show = 'FROM busybox\nRUN --mount=type=cache,id=c,target=/c cat /c/x';
    await there.build(show);
    const lines = there.events.flatMap((event) => (event.type === 'step-output' ? [event.line] : []));
    assert.deepEqual(lines.slice(-2), ['kept', 'kept'], 'of both machines');
    assert.equal((await there.build(text)).descriptor.digest, second.descriptor.digest);
  });

  test('other compressions make the same image', async () => {
    await using here = await scene({ a: 'a' });
    const first = await here.build(text, { cacheTo: [{ mode: 'max', format: 'zstd' }, { format: 'none' }] });
    for (const index of [0, 1]) {
      await using there = await scene({ a: 'a' });
      const cacheFrom = [sourceOf(here.store, documentOf(first, index))];
      assert.equal((await there.build(text, { cacheFrom })).descriptor.digest, first.descriptor.digest);
    }
  });

  test('a manifest refers to all of it; several caches become one', async () => {
    await using here = await scene({ a: 'a' });
    const { caches } = await here.build(text, { cacheTo: [{ mode: 'max' }, { mounts: true }] });
    const merged = mergeCaches(caches);
    assert.ok(merged.records.length >= 7 && merged.mounts.length === 1);
    const { manifest, descriptor } = await writeCacheManifest(here.store, merged);
    for (const each of [descriptor, manifest.config, ...manifest.layers])
      assert.equal(await here.store.size(each.digest), each.size);
    const config = await here.store.readAll(manifest.config);
    assert.deepEqual(cacheDocument(parseCacheConfig(config, 'x')), cacheDocument(merged));
  });

  test('a cache that lies fails the build, and gives it nothing', async () => {
    await using here = await scene({ a: 'a' });
    const first = await here.build(text, { cacheTo: [{ mode: 'max' }] });
    const [cache = none] = first.caches;
    const { descriptor, diffId } = await writeLayer(here.store, {
      entries: [{ header: { name: 'evil', size: 4 }, body: Buffer.from('evil') }],
    });
    const liars: [string, CacheConfig][] = [
      // Another layer in the place of each.
      ['ERR_OCI_BUILD_CACHE_INVALID', replaced(cache, (layer) => ({ ...layer, descriptor }))],
      // What the archive says is not what it is.
      ['ERR_OCI_BUILD_CACHE_INVALID', replaced(cache, (layer) => ({ ...layer, diffId }))],
    ];
    for (const [code, config] of liars) {
      await using there = await scene({ a: 'a' });
      const source = sourceOf(here.store, cacheDocument(config));
      await assert.rejects(there.build(text, { cacheFrom: [source] }), (error) => isOciError(error, code));
      await assertUnharmed(there, first);
    }
    await using there = await scene({ a: 'a' });
    const wrong: CacheSource = {
      ...sourceOf(here.store, documentOf(first)),
      openBlob: async function* ({ size }) {
        yield Buffer.alloc(size);
      },
    };
    await assert.rejects(there.build(text, { cacheFrom: [wrong] }), (error) =>
      isOciError(error, 'ERR_OCI_DIGEST_MISMATCH'),
    );
    await assertUnharmed(there, first);
  });
});

test('what is no cache is refused, and what is not understood passed over', () => {
  for (const bytes of ['', '{', '[1', '{"layers":[],"layers":[]}'])
    assert.throws(() => parseCacheConfig(Buffer.from(bytes), 'x'), { code: 'ERR_OCI_BUILD_CACHE_INVALID' });
  const digest = `sha256:${'a'.repeat(64)}`;
  const annotations = { mediaType: MediaType.layerGzip, diffID: digest, size: 1 };
  for (const document of [
    7,
    null,
    { layers: 1, records: 'x', mounts: {} },
    { layers: [{ blob: '../../etc', annotations }], records: [{ digest, layers: [{ layer: 0 }] }] },
    { layers: [], records: [{ digest, layers: [{ layer: 5 }] }, { digest: 'x' }, null] },
    { layers: [], records: [{ digest, inputs: [[{ link: 0 }]] }] },
    { mounts: [{ name: '../x', blob: digest, annotations }] },
  ])
    assert.deepEqual(parseCacheConfig(Buffer.from(JSON.stringify(document)), 'x'), none);
});

function replaced(
  { records, mounts }: CacheConfig,
  change: (layer: NonNullable<CacheConfig['records'][number]['layer']>) => object,
): CacheConfig {
  const changed = records.map((record) =>
    record.layer === undefined ? record : { ...record, layer: { ...record.layer, ...change(record.layer) } },
  );
  return { records: changed, mounts };
}

/** What a liar has brought is not taken for anything later on. */
async function assertUnharmed(there: Scene, { descriptor }: BuildResult): Promise<void> {
  assert.equal((await there.build(text)).descriptor.digest, descriptor.digest);
}
