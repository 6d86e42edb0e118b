import assert from 'node:assert/strict';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { openStore, parseReference } from '@ocijs/image';
import { missingDockerRegistry, startDockerRegistry } from './docker-registry.testkit.ts';
import { type FaultRegistry, startFaultRegistry } from './fault-registry.testkit.ts';
import { makeImage, temporaryStore } from './images.testkit.ts';
import { pull, push } from './index.ts';
import { limits } from './limits.ts';
import { locationsIn, rememberLocation } from './locations.ts';

const options = { env: { HOME: '/nonexistent' }, retryDelayMs: 1 };

/** Keeps the first bytes of the first upload that is large, and hangs up; what others send arrives. */
function interruptLarge(registry: FaultRegistry, keep: number): void {
  let interrupted = false;
  registry.fault = ({ method, path, headers }, response) => {
    const size = Number(headers['content-length']);
    if (interrupted || method !== 'PUT' || !path.includes('/uploads/') || size < keep) return false;
    interrupted = true;
    const id = /uploads\/([^?]+)/.exec(path)?.[1] ?? '';
    const { req: request } = response;
    const chunks: Buffer[] = [];
    let received = 0;
    request.on('error', () => undefined);
    request.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      received += chunk.length;
      if (received < keep) return;
      registry.uploads.set(id, Buffer.concat(chunks).subarray(0, keep));
      request.destroy();
    });
    return true;
  };
}

describe('an interrupted upload', () => {
  test('goes on where the registry says that it is', async () => {
    await using registry = await startFaultRegistry();
    await using source = await temporaryStore();
    const top = await makeImage(source.store, { layers: [3_000_000] });
    interruptLarge(registry, 1_000_000);
    await push(top, `${registry.host}/image:1`, { store: source.store, ...options });
    const sent = registry.requests.filter(({ method }) => method === 'PATCH');
    assert.match(String(sent[0]?.headers['content-range']), /^1000000-\d+$/);
    assert.equal(registry.uploads.size, 0);
    assert.ok(registry.requests.some(({ method, path }) => method === 'GET' && path.includes('/uploads/')));
  });

  test('is sent again when what arrived is not what was sent', async () => {
    await using registry = await startFaultRegistry();
    await using source = await temporaryStore();
    const top = await makeImage(source.store, { layers: [3_000_000] });
    interruptLarge(registry, 1_000_000);
    const interrupt = registry.fault;
    registry.fault = (request, response) => {
      if (request.method === 'GET' && request.path.includes('/uploads/'))
        for (const [id, bytes] of registry.uploads) registry.uploads.set(id, Buffer.from(bytes).fill(0));
      return interrupt?.(request, response) ?? false;
    };
    await push(top, `${registry.host}/image:1`, { store: source.store, ...options });
    assert.equal(registry.uploads.size, 0);
  });

  test('is opened anew when the registry has forgotten it', async () => {
    await using registry = await startFaultRegistry();
    await using source = await temporaryStore();
    const top = await makeImage(source.store, { layers: [3_000_000] });
    interruptLarge(registry, 1_000_000);
    const interrupt = registry.fault;
    registry.fault = (request, response) => {
      if (request.method === 'GET' && request.path.includes('/uploads/')) registry.uploads.clear();
      return interrupt?.(request, response) ?? false;
    };
    await push(top, `${registry.host}/image:1`, { store: source.store, ...options });
    assert.equal(registry.uploads.size, 0);
  });
});

describe('remembered locations', () => {
  test('are mounted from by a later process', { skip: missingDockerRegistry }, async () => {
    await using registry = await startDockerRegistry();
    await using source = await temporaryStore();
    const top = await makeImage(source.store);
    await push(top, `${registry.host}/first:1`, { store: source.store, ...options });
    await using reopened = await openStore(source.path);
    const { blobs, bytesPushed } = await push(top, `${registry.host}/second:1`, {
      store: reopened,
      ...options,
    });
    assert.deepEqual([...new Set(blobs.map(({ status }) => status))], ['mounted']);
    assert.equal(bytesPushed, 0);
  });

  test('come from pulls too, and a stale one costs a question only', async () => {
    await using registry = await startFaultRegistry();
    await using source = await temporaryStore();
    await using target = await temporaryStore();
    const top = await makeImage(source.store);
    await push(top, `${registry.host}/pulled:1`, { store: source.store, ...options });
    await pull(`${registry.host}/pulled:1`, { store: target.store, ...options });
    registry.requests.length = 0;
    registry.blobs.clear();
    await push(top, `${registry.host}/other:1`, { store: target.store, ...options });
    const mounts = registry.requests.filter(({ path }) => path.includes('mount='));
    assert.equal(mounts.length, 3);
    assert.ok(mounts.every(({ path }) => path.includes('from=pulled')));
    assert.equal(registry.uploads.size, 0);
  });

  test('of one registry are never told to another', async () => {
    await using secret = await startFaultRegistry();
    await using other = await startFaultRegistry();
    await using source = await temporaryStore();
    const top = await makeImage(source.store);
    await push(top, `${secret.host}/secret/project:1`, { store: source.store, ...options });
    await push(top, `${other.host}/image:1`, { store: source.store, ...options });
    for (const { path, headers } of other.requests)
      assert.ok(!`${path} ${JSON.stringify(headers)}`.includes('secret'), path);
  });

  test('are bounded, and a damaged file is as good as none', async () => {
    await using scene = await temporaryStore();
    const { store, path } = scene;
    const { digest } = await store.put(Buffer.from('x'), { mediaType: 'a/b' });
    const registry = 'r.example';
    for (let i = 0; i < 10; i++)
      await rememberLocation(store, { registry, repository: `image${i}`, digests: [digest] });
    const latest = (await locationsIn(store, registry))(digest);
    assert.equal(latest.length, limits.locations);
    assert.equal(latest[0], 'image9');
    assert.deepEqual((await locationsIn(store, 'other.example'))(digest), []);
    const file = join(path, 'cache', 'locations.json');
    const many = Object.fromEntries(
      Array.from({ length: limits.locatedBlobs + 50 }, (_, i) => [
        `sha256:${i.toString(16).padStart(64, '0')}`,
        ['r.example/a'],
      ]),
    );
    await writeFile(file, JSON.stringify(many));
    await rememberLocation(store, { registry, repository: 'new', digests: [digest] });
    const kept = Object.keys(JSON.parse(await readFile(file, 'utf8')) as object);
    assert.equal(kept.length, limits.locatedBlobs);
    assert.equal(kept.at(-1), digest);
    const damaged = ['{', '[]', 'null', '{"x":1}', JSON.stringify({ [digest]: ['../../evil?x=y', 7] })];
    for (const text of damaged) {
      await writeFile(file, text);
      assert.deepEqual((await locationsIn(store, registry))(digest), []);
    }
  });

  test('are not left in a layout that is made to be handed on', async () => {
    await using scene = await temporaryStore();
    const { store, path } = scene;
    await chmod(path, 0o755);
    const { digest } = await store.put(Buffer.from('x'), { mediaType: 'a/b' });
    const { registry, repository } = parseReference('r.example/image');
    await rememberLocation(store, { registry, repository, digests: [digest] });
    await assert.rejects(readFile(join(path, 'cache', 'locations.json')), { code: 'ENOENT' });
  });
});
