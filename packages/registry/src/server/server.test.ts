import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createLayout, MediaType, type Store } from '@ocijs/image';
import { type RunningRegistry, startRegistry } from './index.ts';
import { errorCode, pushImage, sha256, upload } from './requests.testkit.ts';

describe('embedded registry', () => {
  let directory: string;
  let store: Store;
  let registry: RunningRegistry;
  const failures: unknown[] = [];

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'oci-server-test-'));
    store = await createLayout(join(directory, 'My Layout'));
    const limits = { manifestSize: 4096, blobSize: 100_000, uploads: 3 };
    registry = await startRegistry({
      store,
      limits,
      requireContent: true,
      onError: (error) => failures.push(error),
    });
  });
  after(async () => {
    await registry.close();
    await store[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
    assert.deepEqual(failures, []);
  });

  test('answers the version check', async () => {
    const answer = await fetch(`${registry.url}/v2/`);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('docker-distribution-api-version'), 'registry/2.0');
    await answer.body?.cancel();
  });

  test('serves a pushed image by tag and by digest, byte for byte', async () => {
    const { answer, manifest, descriptor } = await pushImage(registry, ['team/app', 'v1'], {
      layers: [randomBytes(100)],
    });
    assert.equal(answer.status, 201);
    assert.equal(answer.headers.get('docker-content-digest'), descriptor.digest);
    for (const reference of ['v1', descriptor.digest]) {
      const got = await fetch(`${registry.url}/v2/team/app/manifests/${reference}`);
      assert.equal(got.headers.get('content-type'), MediaType.manifest);
      assert.deepEqual(Buffer.from(await got.arrayBuffer()), manifest);
    }
    const head = await fetch(`${registry.url}/v2/team/app/manifests/v1`, { method: 'HEAD' });
    assert.equal(head.headers.get('content-length'), String(manifest.length));
    const elsewhere = await fetch(`${registry.url}/v2/other/app/manifests/${descriptor.digest}`);
    assert.equal(elsewhere.status, 404);
    assert.equal(await errorCode(elsewhere), 'MANIFEST_UNKNOWN');
  });

  test('refuses manifests that are wrong', async () => {
    const put = (reference: string, body: string, type: string = MediaType.manifest): Promise<Response> =>
      fetch(`${registry.url}/v2/team/bad/manifests/${reference}`, {
        method: 'PUT',
        body,
        headers: { 'content-type': type },
      });
    const unknownBlob = JSON.stringify({
      schemaVersion: 2,
      mediaType: MediaType.manifest,
      config: { mediaType: MediaType.config, digest: sha256(Buffer.from('none')), size: 4 },
      layers: [],
    });
    assert.equal(await errorCode(await put('v1', unknownBlob)), 'MANIFEST_BLOB_UNKNOWN');
    assert.equal(await errorCode(await put('v1', '{')), 'MANIFEST_INVALID');
    assert.equal(await errorCode(await put('v1', '{"schemaVersion":1}')), 'MANIFEST_INVALID');
    assert.equal(await errorCode(await put('v1', unknownBlob, 'text/plain')), 'MANIFEST_INVALID');
    assert.equal(await errorCode(await put(sha256(Buffer.from('other')), unknownBlob)), 'DIGEST_INVALID');
    assert.equal(await errorCode(await put('-v1', unknownBlob)), 'MANIFEST_INVALID');
    const large = await put('v1', ' '.repeat(5000));
    assert.equal(large.status, 413);
    const tags = await fetch(`${registry.url}/v2/team/bad/tags/list`);
    assert.equal(await errorCode(tags), 'NAME_UNKNOWN');
  });

  test('serves parts of a blob', async () => {
    const bytes = randomBytes(1000);
    const digest = await upload(registry, 'team/app', bytes);
    const get = (range: string): Promise<Response> =>
      fetch(`${registry.url}/v2/team/app/blobs/${digest}`, { headers: { range } });
    const cases: [string, number, number][] = [
      ['bytes=0-9', 0, 10],
      ['bytes=990-', 990, 1000],
      ['bytes=-10', 990, 1000],
      ['bytes=500-5000', 500, 1000],
    ];
    for (const [range, start, end] of cases) {
      const answer = await get(range);
      assert.equal(answer.status, 206, range);
      assert.equal(answer.headers.get('content-range'), `bytes ${start}-${end - 1}/1000`);
      assert.deepEqual(Buffer.from(await answer.arrayBuffer()), bytes.subarray(start, end));
    }
    const beyond = await get('bytes=1000-');
    assert.equal(beyond.status, 416);
    assert.equal(beyond.headers.get('content-range'), 'bytes */1000');
    await beyond.body?.cancel();
    const several = await get('bytes=0-1,5-6');
    assert.equal(several.status, 200);
    assert.deepEqual(Buffer.from(await several.arrayBuffer()), bytes);
    const head = await fetch(`${registry.url}/v2/team/app/blobs/${digest}`, { method: 'HEAD' });
    assert.equal(head.headers.get('content-length'), '1000');
    const missing = await fetch(`${registry.url}/v2/team/app/blobs/${sha256(Buffer.from('missing'))}`);
    assert.equal(await errorCode(missing), 'BLOB_UNKNOWN');
    const malformed = await fetch(`${registry.url}/v2/team/app/blobs/sha256:12`);
    assert.equal(await errorCode(malformed), 'DIGEST_INVALID');
  });

  test('takes a blob in chunks and insists on their order', async () => {
    const bytes = randomBytes(3000);
    const start = await fetch(`${registry.url}/v2/chunk/ed/blobs/uploads/`, { method: 'POST' });
    assert.equal(start.status, 202);
    const location = registry.url + start.headers.get('location');
    const patch = (from: number, to: number): Promise<Response> =>
      fetch(location, {
        method: 'PATCH',
        body: bytes.subarray(from, to),
        headers: { 'content-range': `${from}-${to - 1}`, 'content-type': 'application/octet-stream' },
      });
    const first = await patch(0, 1000);
    assert.equal(first.status, 202);
    assert.equal(first.headers.get('range'), '0-999');
    const early = await patch(2000, 3000);
    assert.equal(early.status, 416);
    assert.equal(early.headers.get('range'), '0-999');
    const again = await patch(0, 1000);
    assert.equal(again.status, 416);
    assert.equal((await patch(1000, 2000)).status, 202);
    const status = await fetch(location);
    assert.equal(status.status, 204);
    assert.equal(status.headers.get('range'), '0-1999');
    const done = await fetch(`${location}?digest=${sha256(bytes)}`, {
      method: 'PUT',
      body: bytes.subarray(2000),
    });
    assert.equal(done.status, 201);
    const blob = await fetch(`${registry.url}/v2/chunk/ed/blobs/${sha256(bytes)}`);
    assert.deepEqual(Buffer.from(await blob.arrayBuffer()), bytes);
    assert.equal((await fetch(location)).status, 404);
  });

  test('refuses blobs that are not what they claim to be, and keeps nothing of them', async () => {
    const digest = sha256(Buffer.from('right'));
    const post = await fetch(`${registry.url}/v2/bad/blob/blobs/uploads/?digest=${digest}`, {
      method: 'POST',
      body: 'wrong',
    });
    assert.equal(post.status, 400);
    assert.equal(await errorCode(post), 'DIGEST_INVALID');
    const start = await fetch(`${registry.url}/v2/bad/blob/blobs/uploads/`, { method: 'POST' });
    const location = registry.url + start.headers.get('location');
    const put = await fetch(`${location}?digest=${digest}`, { method: 'PUT', body: 'wrong' });
    assert.equal(await errorCode(put), 'DIGEST_INVALID');
    const missing = await fetch(`${registry.url}/v2/bad/blob/blobs/${digest}`, { method: 'HEAD' });
    assert.equal(missing.status, 404);
    const large = await fetch(`${registry.url}/v2/bad/blob/blobs/uploads/?digest=${digest}`, {
      method: 'POST',
      body: randomBytes(100_001),
    });
    assert.equal(large.status, 413);
  });

  test('limits and cancels uploads', async () => {
    const locations: string[] = [];
    for (let i = 0; i < 3; i++) {
      const start = await fetch(`${registry.url}/v2/many/blobs/uploads/`, { method: 'POST' });
      locations.push(registry.url + start.headers.get('location'));
    }
    const more = await fetch(`${registry.url}/v2/many/blobs/uploads/`, { method: 'POST' });
    assert.equal(more.status, 429);
    assert.equal(await errorCode(more), 'TOOMANYREQUESTS');
    for (const location of locations) assert.equal((await fetch(location, { method: 'DELETE' })).status, 204);
    assert.equal((await fetch(locations[0] ?? '')).status, 404);
  });

  test('mounts what it has', async () => {
    const digest = await upload(registry, 'team/app', randomBytes(50));
    const mount = (wanted: string): Promise<Response> =>
      fetch(`${registry.url}/v2/mounted/blobs/uploads/?mount=${wanted}&from=team/app`, { method: 'POST' });
    assert.equal((await mount(digest)).status, 201);
    const unknown = await mount(sha256(Buffer.from('unknown')));
    assert.equal(unknown.status, 202);
    await fetch(registry.url + unknown.headers.get('location'), { method: 'DELETE' });
  });

  test('lists tags in pages', async () => {
    for (const tag of ['b', 'a', 'c', 'B']) await pushImage(registry, ['paged', tag]);
    const list = async (query: string): Promise<{ tags: string[]; link: string | null }> => {
      const answer = await fetch(`${registry.url}/v2/paged/tags/list${query}`);
      const { tags } = (await answer.json()) as { tags: string[] };
      return { tags, link: answer.headers.get('link') };
    };
    assert.deepEqual(await list(''), { tags: ['B', 'a', 'b', 'c'], link: null });
    const first = await list('?n=2');
    assert.deepEqual(first, { tags: ['B', 'a'], link: '</v2/paged/tags/list?n=2&last=a>; rel="next"' });
    assert.deepEqual(await list('?n=2&last=a'), { tags: ['b', 'c'], link: null });
    assert.deepEqual((await list('?n=0')).tags, []);
    assert.equal((await fetch(`${registry.url}/v2/paged/tags/list?n=x`)).status, 400);
  });

  test('lists referrers, by type when asked', async () => {
    const { descriptor } = await pushImage(registry, ['subject', 'v1']);
    const push = (artifactType: string) =>
      pushImage(registry, ['subject', artifactType], {
        subject: descriptor,
        artifactType: `test/${artifactType}`,
      });
    const sbom = await push('sbom');
    assert.equal(sbom.answer.headers.get('oci-subject'), descriptor.digest);
    await push('signature');
    const list = async (query: string) => {
      const answer = await fetch(`${registry.url}/v2/subject/referrers/${descriptor.digest}${query}`);
      assert.equal(answer.headers.get('content-type'), MediaType.index);
      const { manifests } = (await answer.json()) as {
        manifests: { artifactType: string; annotations: object }[];
      };
      return { manifests, filters: answer.headers.get('oci-filters-applied') };
    };
    assert.equal((await list('')).manifests.length, 2);
    const filtered = await list('?artifactType=test/sbom');
    assert.equal(filtered.filters, 'artifactType');
    assert.deepEqual(
      filtered.manifests.map(({ artifactType, annotations }) => [artifactType, annotations]),
      [['test/sbom', { reference: 'sbom' }]],
    );
    const none = await fetch(`${registry.url}/v2/subject/referrers/${sha256(Buffer.from('none'))}`);
    assert.deepEqual(((await none.json()) as { manifests: object[] }).manifests, []);
  });

  test('serves an index only when its manifests are there, and keeps them while it is', async () => {
    const { descriptor } = await pushImage(registry, ['multi', 'child']);
    const index = (manifests: readonly object[]): string =>
      JSON.stringify({ schemaVersion: 2, mediaType: MediaType.index, manifests });
    const put = (tag: string, body: string): Promise<Response> =>
      fetch(`${registry.url}/v2/multi/manifests/${tag}`, {
        method: 'PUT',
        body,
        headers: { 'content-type': MediaType.index },
      });
    assert.equal((await put('all', index([descriptor]))).status, 201);
    const missing = { ...descriptor, digest: sha256(Buffer.from('missing')) };
    assert.equal(await errorCode(await put('broken', index([missing]))), 'MANIFEST_BLOB_UNKNOWN');
    const remove = (reference: string): Promise<Response> =>
      fetch(`${registry.url}/v2/multi/manifests/${reference}`, { method: 'DELETE' });
    assert.equal((await remove(descriptor.digest)).status, 405);
    assert.equal((await remove('child')).status, 202);
    assert.equal((await fetch(`${registry.url}/v2/multi/manifests/${descriptor.digest}`)).status, 200);
    const all = sha256(Buffer.from(index([descriptor])));
    assert.equal((await remove('all')).status, 202);
    assert.equal((await remove('all')).status, 404);
    assert.equal((await fetch(`${registry.url}/v2/multi/manifests/${all}`)).status, 200);
    assert.equal((await remove(all)).status, 202);
    assert.equal((await remove(descriptor.digest)).status, 202);
    assert.equal((await fetch(`${registry.url}/v2/multi/manifests/${descriptor.digest}`)).status, 404);
  });

  test('serves what other tools named, under obvious names', async () => {
    const { descriptor } = await pushImage(registry, ['named', 'x']);
    const known = { ...descriptor, digest: descriptor.digest as Parameters<Store['size']>[0] };
    for (const name of ['v9', 'docker.io/library/debian:bookworm', 'localhost:5000/team/tool:1.0'])
      await store.tag(name, known);
    for (const [repository, tag] of [
      ['my-layout', 'v9'],
      ['library/debian', 'bookworm'],
      ['docker.io/library/debian', 'bookworm'],
      ['team/tool', '1.0'],
    ]) {
      const answer = await fetch(`${registry.url}/v2/${repository}/manifests/${tag}`);
      assert.equal(answer.status, 200, `${repository}:${tag}`);
      await answer.body?.cancel();
    }
    const catalog = (await (await fetch(`${registry.url}/v2/_catalog`)).json()) as { repositories: string[] };
    assert.ok(catalog.repositories.includes('library/debian'));
    assert.ok(!catalog.repositories.includes('docker.io/library/debian'));
  });

  test('refuses names that do not fit the grammar, and paths it does not know', async () => {
    for (const name of ['UPPER', '..%2f..%2fetc', 'a//b', '-a', 'a%00b', 'a'.repeat(256)]) {
      const answer = await fetch(`${registry.url}/v2/${name}/tags/list`);
      assert.equal(answer.status, 400, name);
      assert.equal(await errorCode(answer), 'NAME_INVALID');
    }
    assert.equal((await fetch(`${registry.url}/v2/app/nothing`)).status, 404);
    assert.equal((await fetch(`${registry.url}/v1/`)).status, 404);
    assert.equal((await fetch(`${registry.url}/v2/app/tags/list`, { method: 'PUT', body: 'x' })).status, 405);
    assert.equal(await rawStatus(registry.port, 'GET // HTTP/1.1'), 404);
    assert.equal(await rawStatus(registry.port, 'GET /v2/%ff/tags/list HTTP/1.1'), 400);
  });

  test('survives clients that go away', async () => {
    const start = await fetch(`${registry.url}/v2/gone/blobs/uploads/`, { method: 'POST' });
    const path = start.headers.get('location') ?? '';
    await new Promise<void>((resolve, reject) => {
      const socket = connect(registry.port, '127.0.0.1', () => {
        socket.write(`PATCH ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n0123456789`, () => {
          setTimeout(() => socket.destroy(), 50);
        });
      });
      socket.once('close', () => resolve());
      socket.once('error', reject);
    });
    for (let attempt = 0; attempt < 50; attempt++) {
      const status = await fetch(registry.url + path);
      if (status.status === 204 && status.headers.get('range') === '0-9') break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const status = await fetch(registry.url + path);
    assert.equal(status.headers.get('range'), '0-9');
    assert.equal((await fetch(registry.url + path, { method: 'DELETE' })).status, 204);
  });
});

function rawStatus(port: number, line: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () =>
      socket.write(`${line}\r\nhost: x\r\nconnection: close\r\n\r\n`),
    );
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.once('end', () => resolve(Number(text.split(' ')[1])));
    socket.once('error', reject);
  });
}
