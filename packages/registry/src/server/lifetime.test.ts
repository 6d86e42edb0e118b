import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { checkStore, createLayout, MediaType, type Store } from '@ocijs/image';
import { type RunningRegistry, startRegistry } from './index.ts';
import { errorCode, pushImage, sha256, upload } from './requests.testkit.ts';

describe('how long content stays', () => {
  let directory: string;
  let store: Store;
  let registry: RunningRegistry;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'oci-server-test-'));
    store = await createLayout(join(directory, 'layout'));
    registry = await startRegistry({ store, limits: { referrersPage: 600 } });
  });
  after(async () => {
    await registry.close();
    await store[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  const status = async (path: string, method = 'HEAD'): Promise<number> =>
    (await fetch(`${registry.url}/v2/${path}`, { method })).status;
  const names = async (): Promise<string[]> => (await store.list()).map(({ name }) => name).sort();

  test('a manifest outlives its tags, until it is deleted by digest', async () => {
    const first = await pushImage(registry, ['moved', 'v1'], { artifactType: 'test/1' });
    const second = await pushImage(registry, ['moved', 'v1'], { artifactType: 'test/2' });
    assert.notEqual(first.descriptor.digest, second.descriptor.digest);
    assert.equal(await status(`moved/manifests/${first.descriptor.digest}`), 200);
    assert.deepEqual(await names(), ['moved:v1', `moved@${first.descriptor.digest}`]);
    assert.equal(await status('moved/manifests/v1', 'DELETE'), 202);
    assert.equal(await status('moved/manifests/v1'), 404);
    assert.equal(await status(`moved/manifests/${second.descriptor.digest}`), 200);
    const tags = await (await fetch(`${registry.url}/v2/moved/tags/list`)).json();
    assert.deepEqual(tags, { name: 'moved', tags: [] });
    for (const { descriptor } of [first, second]) {
      assert.equal(await status(`moved/manifests/${descriptor.digest}`, 'DELETE'), 202);
      assert.equal(await status(`moved/manifests/${descriptor.digest}`), 404);
    }
    assert.deepEqual(await names(), []);
  });

  test('a blob is deleted when no manifest in any repository needs it', async () => {
    const layer = randomBytes(100);
    await pushImage(registry, ['one', 'v1'], { layers: [layer] });
    const { descriptor } = await pushImage(registry, ['two', 'v1'], { layers: [layer], artifactType: 'x/y' });
    const path = `one/blobs/${sha256(layer)}`;
    assert.equal(await status(path, 'DELETE'), 405);
    await status('one/manifests/v1', 'DELETE');
    const [kept] = (await names()).filter((name) => name.startsWith('one@'));
    await store.untag(kept ?? '');
    const needed = await fetch(`${registry.url}/v2/${path}`, { method: 'DELETE' });
    assert.equal(await errorCode(needed), 'UNSUPPORTED');
    assert.equal(await status(`two/manifests/${descriptor.digest}`, 'DELETE'), 202);
    assert.equal(await status(path, 'DELETE'), 202);
    assert.equal(await status(path), 404);
    assert.equal(
      await errorCode(await fetch(`${registry.url}/v2/${path}`, { method: 'DELETE' })),
      'BLOB_UNKNOWN',
    );
    assert.equal((await checkStore(store)).sound, true);
  });

  test('a manifest is put by digest with tags, of any digest algorithm', async () => {
    const { manifest } = await pushImage(registry, ['tagged', 'base']);
    const digest = `sha512:${createHash('sha512').update(manifest).digest('hex')}`;
    const put = (query: string): Promise<Response> =>
      fetch(`${registry.url}/v2/tagged/manifests/${digest}?${query}`, {
        method: 'PUT',
        body: manifest,
        headers: { 'content-type': `${MediaType.manifest}; charset=utf-8` },
      });
    const answer = await put('tag=1&tag=1.2&tag=1');
    assert.equal(answer.headers.get('oci-tag'), '1, 1.2');
    assert.equal(answer.headers.get('docker-content-digest'), digest);
    const head = await fetch(`${registry.url}/v2/tagged/manifests/1.2`, { method: 'HEAD' });
    assert.equal(head.headers.get('docker-content-digest'), digest);
    assert.equal((await put('tag=-wrong')).status, 400);
    const many = Array.from({ length: 101 }, (_, number) => `tag=t${number}`);
    assert.equal((await put(many.join('&'))).status, 414);
  });

  test('a blob is pushed by a sha512 digest, and unknown algorithms are refused', async () => {
    const bytes = randomBytes(1000);
    const digest = `sha512:${createHash('sha512').update(bytes).digest('hex')}`;
    const start = (algorithm: string): Promise<Response> =>
      fetch(`${registry.url}/v2/long/blobs/uploads/?digest-algorithm=${algorithm}`, { method: 'POST' });
    const location = registry.url + (await start('sha512')).headers.get('location');
    assert.equal((await fetch(location, { method: 'PATCH', body: bytes })).status, 202);
    const put = await fetch(`${location}?digest=${digest}`, { method: 'PUT' });
    assert.equal(put.headers.get('location'), `/v2/long/blobs/${digest}`);
    assert.deepEqual(
      Buffer.from(await (await fetch(`${registry.url}/v2/long/blobs/${digest}`)).arrayBuffer()),
      bytes,
    );
    assert.equal(await errorCode(await start('md5')), 'DIGEST_INVALID');
  });

  test('what the client has is not sent again', async () => {
    const bytes = randomBytes(100);
    const digest = await upload(registry, 'cached', bytes);
    const get = (headers: Record<string, string>): Promise<Response> =>
      fetch(`${registry.url}/v2/cached/blobs/${digest}`, { headers });
    assert.equal((await get({ 'if-none-match': `"x", W/"${digest}"` })).status, 304);
    assert.equal((await get({ 'if-none-match': '"x"' })).status, 200);
    assert.equal((await get({ range: 'bytes=0-9', 'if-range': `"${digest}"` })).status, 206);
    assert.equal((await get({ range: 'bytes=0-9', 'if-range': '"x"' })).status, 200);
  });

  test('manifests are taken before their content, and referrers before their subject', async () => {
    const subject = { mediaType: MediaType.manifest, digest: sha256(Buffer.from('later')), size: 5 };
    const { answer } = await pushImage(registry, ['early', 'sbom'], { subject });
    assert.equal(answer.headers.get('oci-subject'), subject.digest);
    const layer = { mediaType: MediaType.layer, digest: sha256(Buffer.from('absent')), size: 6 };
    const put = await fetch(`${registry.url}/v2/early/manifests/sparse`, {
      method: 'PUT',
      body: JSON.stringify({ schemaVersion: 2, config: layer, layers: [layer] }),
      headers: { 'content-type': MediaType.manifest },
    });
    assert.equal(put.status, 201);
  });

  test('long lists of referrers come in pages, filtered ones too', async () => {
    const { descriptor } = await pushImage(registry, ['pages', 'v1']);
    const pushed: string[] = [];
    for (let number = 0; number < 7; number++) {
      const type = number % 2 === 0 ? 'test/even' : 'test/odd';
      const parts = { subject: descriptor, artifactType: type, layers: [Buffer.from(`${number}`)] };
      const referrer = await pushImage(registry, ['pages', `r${number}`], parts);
      if (type === 'test/even') pushed.push(referrer.descriptor.digest);
    }
    const found: string[] = [];
    let path: string | undefined = `/v2/pages/referrers/${descriptor.digest}?artifactType=test/even`;
    let pages = 0;
    while (path !== undefined) {
      const page = await fetch(registry.url + path);
      assert.equal(page.headers.get('oci-filters-applied'), 'artifactType');
      const { manifests } = (await page.json()) as { manifests: { digest: string }[] };
      found.push(...manifests.map(({ digest }) => digest));
      path = /^<(.+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1];
      pages++;
    }
    assert.deepEqual(found, pushed.sort());
    assert.ok(pages > 1);
  });
});
