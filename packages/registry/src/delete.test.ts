import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Descriptor, OciEvent } from '@ocijs/image';
import { missingDockerRegistry, startDockerRegistry } from './docker-registry.testkit.ts';
import { type FaultRegistry, sendError, serveImage, startFaultRegistry } from './fault-registry.testkit.ts';
import { makeImage, temporaryStore } from './images.testkit.ts';
import { deleteReference, listTags, push, resolveRemote } from './index.ts';
import { startRegistry } from './server/index.ts';

const options = { env: { HOME: '/nonexistent' }, retryDelayMs: 1, retry: 1 };

/** Pushes one image under three tags. */
async function pushTags(host: string): Promise<{ readonly name: string; readonly digest: string }> {
  await using source = await temporaryStore();
  const { store } = source;
  const image = await makeImage(store);
  const name = `${host}/team/image`;
  for (const tag of ['one', 'two', 'three']) await push(image, `${name}:${tag}`, { ...options, store });
  return { name, digest: image.digest };
}

async function check(host: string): Promise<void> {
  const { name, digest } = await pushTags(host);
  const report = await deleteReference(`${name}:one`, options);
  assert.deepEqual([report.tag, report.digest], ['one', digest]);
  assert.deepEqual(await listTags(name, { ...options, sort: 'name' }), ['three', 'two']);
  assert.equal((await resolveRemote(`${name}:two`, options)).digest, digest);
  assert.equal((await resolveRemote(`${name}@${digest}`, options)).digest, digest);

  await assert.rejects(deleteReference(`${name}:one`, options), { code: 'ERR_OCI_REGISTRY_NOT_FOUND' });
  await assert.rejects(deleteReference(`${name}:two@sha256:${'0'.repeat(64)}`, options), {
    code: 'ERR_OCI_DIGEST_MISMATCH',
  });
  await deleteReference(`${name}:two@${digest}`, options);
  assert.equal((await resolveRemote(`${name}:three`, options)).digest, digest);

  assert.equal((await deleteReference(`${name}@${digest}`, options)).tag, undefined);
  await assert.rejects(resolveRemote(`${name}:three`, options), { code: 'ERR_OCI_REGISTRY_NOT_FOUND' });
}

describe('deleting a tag leaves the others alone', () => {
  test('in docker-registry, which cannot delete tags', { skip: missingDockerRegistry }, async () => {
    await using registry = await startDockerRegistry();
    await check(registry.host);
  });

  test('in the embedded registry', async () => {
    await using served = await temporaryStore();
    await using registry = await startRegistry({ store: served.store });
    await check(registry.host);
  });

  test('and where deletion is switched off, the tag too', { skip: missingDockerRegistry }, async () => {
    await using registry = await startDockerRegistry({ deletion: false });
    const { name, digest } = await pushTags(registry.host);
    for (const reference of [`${name}:one`, `${name}@${digest}`]) {
      await assert.rejects(deleteReference(reference, options), { code: 'ERR_OCI_REGISTRY_UNSUPPORTED' });
    }
    for (const tag of ['one', 'two', 'three']) {
      assert.equal((await resolveRemote(`${name}:${tag}`, options)).digest, digest);
    }
  });
});

async function served(
  registry: FaultRegistry,
): Promise<{ readonly name: string; readonly image: Descriptor }> {
  await using source = await temporaryStore();
  const image = await makeImage(source.store);
  await serveImage(registry, { store: source.store, top: image, name: 'a', tag: 'one' });
  return { name: `${registry.host}/a:one`, image };
}

test('the tag is put back when the stand-in cannot be deleted after all', async () => {
  let deletions = 0;
  await using registry = await startFaultRegistry(({ method, path }, response) => {
    if (method !== 'DELETE') return false;
    if (path.endsWith('/one')) sendError(response, 405, 'UNSUPPORTED');
    else if (++deletions === 1) response.writeHead(202).end();
    else sendError(response, 403, 'DENIED');
    return true;
  });
  const { name, image } = await served(registry);
  await assert.rejects(deleteReference(name, options), { code: 'ERR_OCI_REGISTRY_DENIED' });
  assert.equal((await resolveRemote(name, options)).digest, image.digest);
});

test('a registry that deletes the manifest with the tag is told on', async () => {
  await using registry = await startFaultRegistry(({ method }, response) => {
    if (method !== 'DELETE') return false;
    registry.manifests.clear();
    response.writeHead(202).end();
    return true;
  });
  const events: OciEvent[] = [];
  const { name } = await served(registry);
  await deleteReference(name, { ...options, onEvent: (event) => events.push(event) });
  assert.deepEqual(
    events.map((event) => event.type === 'warning' && event.code),
    ['MANIFEST_DELETED'],
  );
});

test('without the right to delete, nothing is moved', async () => {
  await using registry = await startFaultRegistry(({ method }, response) => {
    if (method !== 'DELETE') return false;
    sendError(response, 403, 'DENIED');
    return true;
  });
  const { name } = await served(registry);
  await assert.rejects(deleteReference(name, options), { code: 'ERR_OCI_REGISTRY_DENIED' });
  assert.ok(registry.requests.every(({ method }) => method !== 'PUT' && method !== 'POST'));
});
