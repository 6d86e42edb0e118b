import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeImage, makeIndex, seededBytes, temporaryStore } from './images.testkit.ts';
import { createRegistryClient, listTags, pull, push, remoteImage } from './index.ts';
import { startRegistry } from './server/index.ts';

const env = { HOME: '/nonexistent' };

test('an index goes to the embedded registry and comes back', async () => {
  await using served = await temporaryStore();
  await using source = await temporaryStore();
  await using target = await temporaryStore();
  await using registry = await startRegistry({ store: served.store });
  const arm64 = { os: 'linux', architecture: 'arm64' };
  const amd64 = { os: 'linux', architecture: 'amd64' };
  const index = await makeIndex(source.store, [
    { descriptor: await makeImage(source.store, { platform: amd64 }), platform: amd64 },
    { descriptor: await makeImage(source.store, { platform: arm64, seed: 2 }), platform: arm64 },
  ]);
  const name = `${registry.host}/team/image:1`;
  await source.store.tag(name, index);
  await push(name, undefined, { store: source.store, env });
  const mounted = await push(name, `${registry.host}/other/image:2`, { store: source.store, env });
  assert.ok(mounted.blobs.every(({ status }) => status === 'mounted' || status === 'exists'));
  const image = await pull(name, { store: target.store, allPlatforms: true, env });
  assert.equal(image.report.digest, index.digest);
  assert.equal(image.report.blobs.length, 6);
  assert.deepEqual(await listTags(`${registry.host}/team/image`, { env }), ['1']);
  await using remote = await remoteImage(name, { platform: arm64, env });
  assert.equal(remote.platform.architecture, 'arm64');
});

for (const type of ['basic', 'bearer'] as const) {
  test(`${type} authentication, and a blob that is not what it is called`, async () => {
    await using served = await temporaryStore();
    await using source = await temporaryStore();
    const user = { username: 'u', password: 'p' };
    await using registry = await startRegistry({ store: served.store, auth: { type, ...user } });
    const name = `${registry.host}/private:1`;
    await source.store.tag(name, await makeImage(source.store));
    const { store } = source;
    await assert.rejects(push(name, undefined, { store, env, retry: 0 }), {
      code: 'ERR_OCI_REGISTRY_UNAUTHORIZED',
    });
    await push(name, undefined, { store, env, credentials: user });
    await using target = await temporaryStore();
    await pull(name, { store: target.store, env, credentials: user });

    await using client = createRegistryClient(registry.host, { env, credentials: user });
    const right = await served.store.put(seededBytes(100, 6), { mediaType: 'application/octet-stream' });
    async function* open(): AsyncGenerator<Uint8Array> {
      yield seededBytes(200, 5);
    }
    await assert.rejects(client.uploadBlob('a', { ...right, size: 200 }, { open }), {
      code: 'ERR_OCI_REGISTRY_BLOB_INVALID',
    });
  });
}
