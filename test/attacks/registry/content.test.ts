import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkStore, digestBytes, isOciError, MediaType } from '@ocijs/image';
import { listReferrers, listTags, pull, remoteImage } from '@ocijs/registry';
import {
  document,
  type HostileWorld,
  hostileWorld,
  manifestOf,
  sendError,
  sendManifest,
} from './hostile-registry.ts';

const config = Buffer.from('{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]}}');
const configDescriptor = { mediaType: MediaType.config, digest: digestBytes(config), size: config.length };
const empty = document(manifestOf(configDescriptor, []));
const other = document(manifestOf(configDescriptor, []).replace('{', '{"annotations":{"a":"b"},'));
const name = 'registry.example/team/app';

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(isOciError(error), String(error));
  return error.code;
}

describe('attack 20: other content than the digest says (CVE-2025-24882)', () => {
  test('a manifest, whatever the header claims', async () => {
    await using at = await hostileWorld((_request, response) =>
      sendManifest(response, { ...other, digest: empty.digest }),
    );
    const { options, store } = at;
    for (const reference of [`${name}@${empty.digest}`, `${name}:1`])
      assert.match(await codeOf(pull(reference, { ...options, store })), /MISMATCH/);
    assert.deepEqual(await store.entries(), []);
    assert.equal(await store.size(empty.digest), undefined);
  });

  test('a blob', async () => {
    const layer = { mediaType: MediaType.layer, digest: `sha256:${'1'.repeat(64)}`, size: 4 };
    const manifest = document(manifestOf(configDescriptor, [layer]));
    await using at = await hostileWorld(({ path }, response) => {
      if (path.includes('/manifests/')) sendManifest(response, manifest);
      else if (path.endsWith(configDescriptor.digest)) response.end(config);
      else response.end('evil');
    });
    const { options, store } = at;
    assert.equal(await codeOf(pull(`${name}:1`, { ...options, store })), 'ERR_OCI_DIGEST_MISMATCH');
    assert.deepEqual((await checkStore(store)).problems, []);
    await using image = await remoteImage(`${name}:1`, options);
    const [first] = image.manifest.layers;
    assert.ok(first);
    await assert.rejects(
      async () => {
        for await (const _chunk of image.openBlob(first));
      },
      { code: 'ERR_OCI_DIGEST_MISMATCH' },
    );
  });
});

test('attack 21: a foreign layer is not fetched from its urls (CVE-2020-15157)', async () => {
  const layer = {
    mediaType: MediaType.nondistributableLayerGzip,
    digest: `sha256:${'1'.repeat(64)}`,
    size: 4,
    urls: ['http://attacker.example/layer', 'http://169.254.169.254/latest/meta-data'],
  };
  const manifest = document(manifestOf(configDescriptor, [layer]));
  await using at = await hostileWorld(({ path }, response) => {
    if (path.includes('/manifests/')) sendManifest(response, manifest);
    else if (path.endsWith(configDescriptor.digest)) response.end(config);
    else sendError(response, 404);
  });
  await assert.rejects(pull(`${name}:1`, { ...at.options, store: at.store }));
  assert.deepEqual([...at.hosts], ['registry.example']);
});

describe('attack 24: lists without end, and circles (GHSA-298f-872v-2rcx, CVE-2023-46737)', () => {
  test('pages of tags that lead to themselves', async () => {
    await using at = await hostileWorld(({ path }, response) => {
      response.writeHead(200, { 'content-type': 'application/json', link: `<${path}>; rel="next"` });
      response.end('{"name":"team/app","tags":["a"]}');
    });
    assert.match(await codeOf(listTags(name, at.options)), /PROTOCOL|LIMIT/);
    assert.ok(at.requests.length < 5);
  });

  test('pages of referrers, each leading to a new one', async () => {
    let page = 0;
    await using at = await hostileWorld(({ path }, response) => {
      if (path.includes('/manifests/')) return sendManifest(response, empty);
      page++;
      const link = `</v2/team/app/referrers/${empty.digest}?page=${page}>; rel="next"`;
      response.writeHead(200, { 'content-type': MediaType.index, link });
      response.end(JSON.stringify({ schemaVersion: 2, mediaType: MediaType.index, manifests: [] }));
    });
    assert.equal(await codeOf(listReferrers(`${name}:1`, at.options)), 'ERR_OCI_LIMIT_EXCEEDED');
    assert.ok(page <= 101);
  });

  test('referrers that refer to each other', async () => {
    const { bytes: _bytes, ...descriptor } = other;
    await using at = await hostileWorld(({ path }, response) => {
      if (path.includes('/manifests/')) return sendManifest(response, empty);
      const { bytes: _own, ...own } = empty;
      response.writeHead(200, { 'content-type': MediaType.index });
      const manifests = [descriptor, own];
      response.end(JSON.stringify({ schemaVersion: 2, mediaType: MediaType.index, manifests }));
    });
    await listReferrers(`${name}:1`, { ...at.options, depth: 8 });
    assert.ok(at.requests.length < 10);
  });

  test('an index of indexes, each in the next', async () => {
    const levels = [empty];
    for (let level = 0; level < 12; level++) {
      const { bytes: _bytes, ...below } = levels[0] ?? empty;
      const text = JSON.stringify({ schemaVersion: 2, mediaType: MediaType.index, manifests: [below] });
      levels.unshift(document(text, MediaType.index));
    }
    await using at = await hostileWorld(({ path }, response) => {
      const found = levels.find(({ digest }) => path.endsWith(digest)) ?? levels[0];
      if (found === undefined || !path.includes('/manifests/')) sendError(response, 404);
      else sendManifest(response, found);
    });
    const pulling = pull(`${name}:1`, { ...at.options, store: at.store, allPlatforms: true });
    assert.equal(await codeOf(pulling), 'ERR_OCI_LIMIT_EXCEEDED');
  });
});

test('attack 28: a tag that names another digest than the one beside it', async () => {
  await using at = await hostileWorld((_request, response) => sendManifest(response, other));
  const { options, store } = at;
  const code = await codeOf(pull(`${name}:1@${empty.digest}`, { ...options, store }));
  assert.equal(code, 'ERR_OCI_DIGEST_MISMATCH');
  assert.deepEqual(await store.entries(), []);
});

test('attack 31: a stream that fails leaves no lock behind (CVE-2021-20291)', async () => {
  const bytes = Buffer.alloc(200_000, 1);
  const layer = { mediaType: MediaType.layer, digest: digestBytes(bytes), size: bytes.length };
  const diffIds = JSON.stringify([layer.digest]);
  const own = Buffer.from(config.toString().replace('[]', diffIds));
  const described = { mediaType: MediaType.config, digest: digestBytes(own), size: own.length };
  const manifest = document(manifestOf(described, [layer]));
  let failing = true;
  await using at: HostileWorld = await hostileWorld(({ path }, response) => {
    if (path.includes('/manifests/')) sendManifest(response, manifest);
    else if (path.endsWith(described.digest)) response.end(own);
    else if (failing) {
      response.writeHead(200, { 'content-length': bytes.length });
      response.write(bytes.subarray(0, 1000), () => response.destroy());
    } else response.end(bytes);
  });
  const { options, store } = at;
  const pulling = (): Promise<unknown> => pull(`${name}:1`, { ...options, store });
  const failures = await Promise.allSettled([pulling(), pulling(), pulling()]);
  assert.ok(failures.every(({ status }) => status === 'rejected'));
  failing = false;
  await Promise.all([pulling(), pulling()]);
  assert.deepEqual((await checkStore(store)).problems, []);
});
