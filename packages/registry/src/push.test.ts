import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Descriptor, MediaType, type OciEvent, parseDigest } from '@ocijs/image';
import {
  digestOf,
  type Fault,
  type FaultRegistry,
  listen,
  readAll,
  sendError,
  startFaultRegistry,
} from './fault-registry.testkit.ts';
import { makeImage, makeIndex, seededBytes, type TemporaryStore, temporaryStore } from './images.testkit.ts';
import { createRegistryClient, type PushOptions, push, type TransferReport } from './index.ts';

interface Scene extends AsyncDisposable {
  readonly registry: FaultRegistry;
  readonly source: TemporaryStore;
  readonly top: Descriptor;
  readonly name: string;
  readonly events: OciEvent[];
  push(options?: Partial<PushOptions>): Promise<TransferReport>;
}

async function scene(fault?: Fault): Promise<Scene> {
  const registry = await startFaultRegistry(fault);
  const source = await temporaryStore();
  const top = await makeImage(source.store, { layers: [5_000, 400_000] });
  const name = `${registry.host}/image:1`;
  await source.store.tag(name, top);
  const events: OciEvent[] = [];
  return {
    registry,
    source,
    top,
    name,
    events,
    push: (options) =>
      push(name, undefined, {
        store: source.store,
        env: {},
        retryDelayMs: 1,
        onEvent: (event) => events.push(event),
        ...options,
      }),
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await source[Symbol.asyncDispose]();
    },
  };
}

function counts({ registry }: Scene, method: string): number {
  return registry.requests.filter((request) => request.method === method).length;
}

describe('push', () => {
  test('sends each blob in one PUT and the manifest last, byte for byte', async () => {
    await using at = await scene();
    const report = await at.push();
    assert.equal(
      report.bytesPushed,
      report.blobs.reduce((sum, { size }) => sum + size, 0),
    );
    assert.equal(counts(at, 'PATCH'), 0);
    assert.equal(counts(at, 'PUT'), 4);
    assert.equal(at.registry.requests.at(-1)?.path, '/v2/image/manifests/1');
    assert.deepEqual(
      Buffer.from(at.registry.manifests.get('image:1')?.bytes ?? []),
      Buffer.from(await at.source.store.readAll(at.top)),
    );
    assert.equal(at.registry.uploads.size, 0);
    assert.equal(at.events.filter((event) => event.type === 'blob-done').length, 3);
  });

  test('falls back to pieces when one PUT is refused', async () => {
    await using at = await scene(({ method, path, headers }, response) => {
      if (method !== 'PUT' || !path.includes('/uploads/') || headers['content-length'] === '0') return false;
      sendError(response, 413, 'SIZE_INVALID');
      return true;
    });
    await at.push();
    assert.equal(counts(at, 'PATCH'), 3);
    assert.equal(at.registry.blobs.size, 3);
    assert.equal(at.registry.uploads.size, 0);
  });

  test('repeats an upload that breaks, and cancels the broken one', async () => {
    let broken = 0;
    await using at = await scene(({ method, path }, response) => {
      if (method !== 'PUT' || !path.includes('/uploads/') || broken > 0) return false;
      broken++;
      response.socket?.destroy();
      return true;
    });
    await at.push();
    assert.equal(counts(at, 'DELETE'), 1);
    assert.equal(at.registry.uploads.size, 0);
  });

  test('goes on in pieces where a piece broke', async () => {
    await using registry = await startFaultRegistry();
    let broken = false;
    registry.fault = ({ method, path, headers }, response) => {
      if (method === 'PUT' && path.includes('/uploads/') && headers['content-length'] !== '0') {
        sendError(response, 405, 'UNSUPPORTED');
        return true;
      }
      if (method !== 'PATCH' || broken) return false;
      broken = true;
      response.socket?.destroy();
      return true;
    };
    const bytes = seededBytes(40_000_000, 7);
    const descriptor = {
      mediaType: MediaType.layer,
      digest: parseDigest(digestOf(bytes)),
      size: bytes.length,
    };
    await using client = createRegistryClient(registry.host, { env: {}, retryDelayMs: 1 });
    async function* open(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < bytes.length; at += 1_000_000) yield bytes.subarray(at, at + 1_000_000);
    }
    assert.equal(await client.uploadBlob('a/b', descriptor, { open }), 'pushed');
    const ranges = registry.requests
      .filter(({ method }) => method === 'PATCH')
      .map(({ headers }) => headers['content-range']);
    assert.deepEqual(ranges, ['0-16777215', '0-16777215', '16777216-33554431', '33554432-39999999']);
    assert.equal(registry.blobs.get(descriptor.digest)?.length, bytes.length);
  });

  test('cancels the upload when it is aborted, and names nothing', async () => {
    const controller = new AbortController();
    await using at = await scene(async ({ method, path }) => {
      if (method === 'PUT' && path.includes('/uploads/')) controller.abort('stop');
      return false;
    });
    await assert.rejects(at.push({ signal: controller.signal, concurrency: 1 }), (error) => error === 'stop');
    assert.equal(at.registry.manifests.size, 0);
    assert.equal(counts(at, 'DELETE'), 1);
  });

  test('sends nothing with a damaged blob, and says that the store is at fault', async () => {
    await using at = await scene();
    const bytes = seededBytes(1_000, 3);
    const digest = parseDigest(digestOf(bytes));
    const descriptor = { mediaType: MediaType.layer, digest, size: bytes.length };
    await using client = createRegistryClient(at.registry.host, { env: {}, retryDelayMs: 1 });
    await assert.rejects(
      client.uploadBlob('image', descriptor, {
        open: () => ({
          [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('bad blob')) }),
        }),
      }),
      /bad blob/,
    );
    assert.equal(at.registry.blobs.size, 0);
  });

  test('what the registry says of a refused blob arrives', async () => {
    await using at = await scene(({ method, path }, response) => {
      if (method !== 'PUT' || !path.includes('/uploads/')) return false;
      sendError(response, 400, 'DIGEST_INVALID', 'provided digest did not match');
      return true;
    });
    await assert.rejects(at.push(), (error) => {
      assert.match(String(error), /provided digest did not match/);
      assert.equal((error as { code?: string }).code, 'ERR_OCI_REGISTRY_BLOB_INVALID');
      return true;
    });
  });

  test('a registry that stores another manifest is told on', async () => {
    await using at = await scene(({ method, path }, response) => {
      if (method !== 'PUT' || !path.includes('/manifests/')) return false;
      response.writeHead(201, { 'docker-content-digest': `sha256:${'1'.repeat(64)}` }).end();
      return true;
    });
    await assert.rejects(at.push(), { code: 'ERR_OCI_REGISTRY_PROTOCOL' });
  });

  test('a mount that the registry refuses becomes an upload', async () => {
    await using at = await scene(({ path }, response) => {
      if (!path.includes('mount=')) return false;
      sendError(response, 403, 'DENIED');
      return true;
    });
    const report = await at.push({ mountFrom: 'other/repository' });
    assert.ok(report.blobs.every(({ status }) => status === 'pushed'));
  });

  test('an upload that the registry opens instead of a mount is used', async () => {
    await using at = await scene();
    const report = await at.push({ mountFrom: 'other/repository' });
    assert.ok(report.blobs.every(({ status }) => status === 'pushed'));
    assert.equal(counts(at, 'POST'), 3);
    assert.equal(counts(at, 'DELETE'), 0);
  });

  test('an upload location at another host gets the blob but no credentials', async () => {
    const seen: (string | undefined)[] = [];
    await using elsewhere = await listen(async (request, response) => {
      seen.push(request.headers.authorization);
      await readAll(request);
      response.writeHead(201).end();
    });
    await using at = await scene(({ method, path, headers }, response) => {
      if (headers['authorization'] === undefined) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      } else if (method === 'POST')
        response.writeHead(202, { location: `http://${elsewhere.host}${path}` }).end();
      else return false;
      return true;
    });
    await at.push({ credentials: { username: 'u', password: 'p' } });
    assert.deepEqual(seen, [undefined, undefined, undefined]);
  });

  test('a destination with another digest is refused before anything is sent', async () => {
    await using at = await scene();
    const destination = `${at.registry.host}/image@sha256:${'0'.repeat(64)}`;
    await assert.rejects(push(at.name, destination, { store: at.source.store, env: {} }), {
      code: 'ERR_OCI_DIGEST_MISMATCH',
    });
    assert.equal(at.registry.requests.length, 0);
  });

  test('a name that is not in the store is said to be missing', async () => {
    await using at = await scene();
    await assert.rejects(push('absent:1', undefined, { store: at.source.store, env: {} }), {
      code: 'ERR_OCI_IMAGE_NOT_FOUND',
    });
  });

  test('an image from elsewhere is pushed without a store', async () => {
    await using at = await scene();
    const image = await at.source.store.image(at.top, { platform: { os: 'linux', architecture: 'amd64' } });
    const report = await push(image, `${at.registry.host}/copy:1`, { env: {} });
    assert.equal(report.digest, at.top.digest);
    assert.deepEqual(report.platform, { os: 'linux', architecture: 'amd64' });
  });

  test('children go before their index, and the tag last', async () => {
    await using at = await scene();
    const platform = { os: 'linux', architecture: 'arm64' };
    const other = await makeImage(at.source.store, { platform, seed: 2 });
    const index = await makeIndex(at.source.store, [{ descriptor: at.top }, { descriptor: other, platform }]);
    await push(index, `${at.registry.host}/multi:x`, { store: at.source.store, env: {} });
    const manifests = at.registry.requests.filter(
      ({ method, path }) => method === 'PUT' && path.includes('/manifests/'),
    );
    assert.deepEqual(
      manifests.map(({ path }) => path.slice(path.lastIndexOf('/') + 1)),
      [at.top.digest, other.digest, 'x'],
    );
  });
});
