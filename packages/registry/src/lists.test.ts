import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missingDockerRegistry, startDockerRegistry } from './docker-registry.testkit.ts';
import { sendError, sendJson, startFaultRegistry } from './fault-registry.testkit.ts';
import { makeImage, temporaryStore } from './images.testkit.ts';
import { listRepositories, listTags, push } from './index.ts';
import { startRegistry } from './server/index.ts';
import { sortByVersion } from './version-order.ts';

const options = { env: { HOME: '/nonexistent' }, retryDelayMs: 1, retry: 1 };

async function checkCatalog(host: string): Promise<void> {
  await using source = await temporaryStore();
  const { store } = source;
  const image = await makeImage(store, { layers: [100] });
  for (const name of ['b/two', 'a', 'b/one']) await push(image, `${host}/${name}:1`, { ...options, store });
  assert.deepEqual((await listRepositories(host, options)).sort(), ['a', 'b/one', 'b/two']);
}

test('docker-registry lists its repositories', { skip: missingDockerRegistry }, async () => {
  await using registry = await startDockerRegistry();
  await checkCatalog(registry.host);
});

test('the embedded registry lists its repositories', async () => {
  await using served = await temporaryStore();
  await using registry = await startRegistry({ store: served.store });
  await checkCatalog(registry.host);
});

test('pages of repositories are followed', async () => {
  await using registry = await startFaultRegistry(({ path }, response) => {
    if (!path.includes('last=')) response.setHeader('link', '</v2/_catalog?last=a>; rel="next"');
    sendJson(response, { repositories: [path.includes('last=') ? 'b' : 'a'] });
    return true;
  });
  assert.deepEqual(await listRepositories(registry.host, options), ['a', 'b']);
});

test('a registry without a catalog says so', async () => {
  await using registry = await startFaultRegistry((_request, response) => {
    sendError(response, 404, 'NAME_UNKNOWN');
    return true;
  });
  await assert.rejects(listRepositories(registry.host, options), { code: 'ERR_OCI_REGISTRY_UNSUPPORTED' });
});

test('tags are filtered and sorted', async () => {
  const tags = ['latest', 'v1.10', 'v1.9', '2.0.0-rc.1', '2.0.0'];
  await using registry = await startFaultRegistry((_request, response) => {
    sendJson(response, { name: 'a', tags });
    return true;
  });
  const name = `${registry.host}/a`;
  assert.deepEqual(await listTags(name, options), tags);
  assert.deepEqual(await listTags(name, { ...options, filter: /^v/g }), ['v1.10', 'v1.9']);
  assert.deepEqual(await listTags(name, { ...options, sort: 'name' }), [...tags].sort());
  assert.deepEqual(await listTags(name, { ...options, sort: 'version' }), [
    'latest',
    'v1.9',
    'v1.10',
    '2.0.0-rc.1',
    '2.0.0',
  ]);
});

test("versions are in Semantic Versioning's order", () => {
  const sorted = [
    'edge',
    'latest',
    '1',
    '1.0.1-alpha',
    '1.0.1-alpha.1',
    '1.0.1-alpha.beta',
    '1.0.1-beta',
    '1.0.1-beta.2',
    '1.0.1-beta.11',
    '1.0.1-rc.1',
    '1.0.1',
    'v1.2',
    '1.10',
    '99999999999999999999.0.0',
  ];
  assert.deepEqual(sortByVersion([...sorted].reverse()), sorted);
  assert.deepEqual(sortByVersion(['v1.0.0', '1.0.0', '1']), ['1', '1.0.0', 'v1.0.0']);
});
