import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type Descriptor, isOciError, type OciEvent, parseDigest } from '@ocijs/image';
import {
  type Fault,
  type FaultRegistry,
  listen,
  sendError,
  serveImage,
  startFaultRegistry,
} from './fault-registry.testkit.ts';
import { makeImage, type TemporaryStore, temporaryStore } from './images.testkit.ts';
import { type PulledImage, type PullOptions, pull, remoteImage } from './index.ts';

/** A registry with one image, and an empty store to pull it into. */
interface Scene extends AsyncDisposable {
  readonly registry: FaultRegistry;
  readonly target: TemporaryStore;
  readonly top: Descriptor;
  readonly name: string;
  /** The largest layer's digest. */
  readonly layer: string;
  readonly events: OciEvent[];
  pull(options?: Partial<PullOptions>): Promise<PulledImage>;
}

const big = 3_000_000;

async function scene(fault?: Fault): Promise<Scene> {
  const registry = await startFaultRegistry(fault);
  const source = await temporaryStore();
  const target = await temporaryStore();
  const top = await makeImage(source.store, { layers: [5_000, big] });
  await serveImage(registry, { store: source.store, top, name: 'image', tag: 'latest' });
  const { manifest } = await source.store.image(top, { platform: { os: 'linux', architecture: 'amd64' } });
  const events: OciEvent[] = [];
  const name = `${registry.host}/image`;
  return {
    registry,
    target,
    top,
    name,
    events,
    layer: manifest.layers[1]?.digest ?? '',
    pull: (options) =>
      pull(name, {
        store: target.store,
        env: { HOME: '/nonexistent' },
        retryDelayMs: 1,
        onEvent: (event) => events.push(event),
        ...options,
      }),
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await source[Symbol.asyncDispose]();
      await target[Symbol.asyncDispose]();
    },
  };
}

/** Nothing was named and nothing wrong was stored. */
async function assertUnnamed({ target }: Scene): Promise<void> {
  assert.deepEqual(await target.store.list(), []);
}

async function leftovers({ target }: Scene): Promise<readonly string[]> {
  return readdir(join(target.path, 'ingest')).catch(() => []);
}

describe('pull', () => {
  test('costs one HEAD when everything is there', async () => {
    await using at = await scene();
    await at.pull();
    at.registry.requests.length = 0;
    const { report } = await at.pull();
    assert.deepEqual(
      at.registry.requests.map(({ method, path }) => `${method} ${path}`),
      ['HEAD /v2/image/manifests/latest'],
    );
    assert.ok(report.blobs.every(({ status }) => status === 'reused'));
    assert.equal(report.bytesFetched, 0);
  });

  test('reports every blob once, with its bytes', async () => {
    await using at = await scene();
    const { report } = await at.pull();
    assert.equal(report.reference, `${at.name}:latest`);
    assert.deepEqual(report.platform, { os: 'linux', architecture: 'amd64' });
    assert.equal(
      report.bytesFetched,
      report.blobs.reduce((sum, { size }) => sum + size, 0),
    );
    const done = at.events.filter((event) => event.type === 'blob-done');
    assert.equal(done.length, 3);
    assert.equal(at.events.filter((event) => event.type === 'resolve').length, 1);
  });

  test('resumes a blob that breaks in the middle', async () => {
    await using at = await scene();
    at.registry.fault = breakOnce(at, 1_000_000);
    const { report } = await at.pull();
    const ranges = at.registry.requests
      .filter(({ path }) => path.endsWith(at.layer))
      .map(({ headers }) => headers['range']);
    assert.equal(ranges.length, 2);
    assert.equal(ranges[0], undefined);
    assert.match(String(ranges[1]), /^bytes=[1-9]\d*-$/);
    assert.ok(at.events.some((event) => event.type === 'retry'));
    assert.ok(report.blobs.every(({ status }) => status === 'fetched'));
  });

  test('resumes in a later run', async () => {
    await using at = await scene();
    at.registry.fault = breakOnce(at, 1_000_000);
    await assert.rejects(at.pull({ retry: 0 }), { code: 'ERR_OCI_REGISTRY_UNAVAILABLE' });
    await assertUnnamed(at);
    const { report } = await at.pull();
    const layer = report.blobs.find(({ digest }) => digest === at.layer);
    assert.equal(layer?.status, 'resumed');
    assert.ok((report.bytesReused ?? 0) > 0);
    assert.ok((report.bytesFetched ?? 0) < big);
  });

  test('starts over when the registry ignores the range', async () => {
    await using at = await scene();
    const broken = breakOnce(at, 1_000_000);
    at.registry.fault = (request, response) => {
      delete (request.headers as Record<string, unknown>)['range'];
      return broken(request, response);
    };
    await at.pull();
    assert.deepEqual(await leftovers(at), []);
  });

  test('refuses a flipped byte, after one more try', async () => {
    await using at = await scene();
    const bytes = Buffer.from(at.registry.blobs.get(at.layer) ?? []);
    bytes[1234] = (bytes[1234] ?? 0) ^ 1;
    at.registry.blobs.set(at.layer, bytes);
    await assert.rejects(at.pull(), { code: 'ERR_OCI_DIGEST_MISMATCH' });
    assert.equal(at.registry.requests.filter(({ path }) => path.endsWith(at.layer)).length, 2);
    await assertUnnamed(at);
    assert.equal(await at.target.store.size(parseDigest(at.layer)), undefined);
    assert.deepEqual(await leftovers(at), []);
  });

  test('accepts a blob that was damaged only once', async () => {
    await using at = await scene();
    const good = at.registry.blobs.get(at.layer) ?? new Uint8Array();
    at.registry.fault = ({ path, count }, response) => {
      if (!path.endsWith(at.layer) || count > 1) return false;
      response.writeHead(200, { 'content-length': good.length }).end(Buffer.alloc(good.length));
      return true;
    };
    await at.pull();
  });

  for (const [what, change] of [
    ['truncated', (bytes: Uint8Array) => bytes.subarray(0, 1_000_000)],
    ['longer', (bytes: Uint8Array) => Buffer.concat([bytes, Buffer.from('x')])],
  ] as const) {
    test(`refuses a blob that is ${what}, announced or not`, async () => {
      await using at = await scene();
      at.registry.blobs.set(at.layer, change(at.registry.blobs.get(at.layer) ?? new Uint8Array()));
      await assert.rejects(at.pull(), { code: 'ERR_OCI_SIZE_MISMATCH' });
      at.registry.fault = ({ path, method }, response) => {
        if (!path.endsWith(at.layer) || method !== 'GET') return false;
        response.writeHead(200, { 'transfer-encoding': 'chunked' });
        response.end(at.registry.blobs.get(at.layer));
        return true;
      };
      await assert.rejects(at.pull(), { code: 'ERR_OCI_SIZE_MISMATCH' });
      await assertUnnamed(at);
    });
  }

  test('refuses a manifest that does not have its digest', async () => {
    await using at = await scene();
    at.registry.fault = ({ path, method }, response) => {
      if (method !== 'GET' || !path.includes('/manifests/')) return false;
      const { bytes, mediaType } = at.registry.manifests.get('image:latest') ?? {
        bytes: new Uint8Array(),
        mediaType: '',
      };
      const other = Buffer.concat([bytes, Buffer.from(' ')]);
      // The header repeats what was asked for, as a lying registry's would.
      response
        .writeHead(200, { 'content-type': mediaType, 'docker-content-digest': at.top.digest })
        .end(other);
      return true;
    };
    await assert.rejects(at.pull(), { code: 'ERR_OCI_DIGEST_MISMATCH' });
    await assertUnnamed(at);
  });

  test('tag, digest and expectation must agree', async () => {
    await using at = await scene();
    const other = parseDigest(`sha256:${'0'.repeat(64)}`);
    await assert.rejects(at.pull({ expectDigest: other }), { code: 'ERR_OCI_DIGEST_MISMATCH' });
    const { store } = at.target;
    const options = { store, env: {}, retryDelayMs: 1 };
    await assert.rejects(pull(`${at.name}:latest@${other}`, options), { code: 'ERR_OCI_DIGEST_MISMATCH' });
    await assert.rejects(pull(`${at.name}@${other}`, options), { code: 'ERR_OCI_REGISTRY_NOT_FOUND' });
    await assertUnnamed(at);
    assert.equal(
      (await pull(`${at.name}:latest@${at.top.digest}`, options)).descriptor.digest,
      at.top.digest,
    );
    assert.equal((await at.pull({ expectDigest: at.top.digest })).report.digest, at.top.digest);
  });

  test('works without HEAD and without a digest header', async () => {
    await using at = await scene();
    at.registry.fault = ({ method, path }, response) => {
      if (method === 'HEAD') sendError(response, 405, 'UNSUPPORTED');
      else if (path.endsWith('/manifests/latest')) {
        const found = at.registry.manifests.get('image:latest');
        response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(found?.bytes);
      } else return false;
      return true;
    };
    assert.equal((await at.pull()).descriptor.digest, at.top.digest);
  });

  test('waits as Retry-After says', async () => {
    await using at = await scene();
    at.registry.fault = ({ method, count }, response) => {
      if (method !== 'HEAD' || count > 1) return false;
      response.writeHead(429, { 'retry-after': '1' }).end();
      return true;
    };
    const before = performance.now();
    await at.pull();
    assert.ok(performance.now() - before >= 990);
  });

  test('does not wait for an hour', async () => {
    await using at = await scene();
    at.registry.fault = (_request, response) => {
      response.writeHead(429, { 'retry-after': '3600', 'ratelimit-limit': '100;w=21600' }).end();
      return true;
    };
    await assert.rejects(at.pull(), (error) => {
      assert.ok(isOciError(error, 'ERR_OCI_REGISTRY_RATE_LIMITED'));
      assert.match(error.hint ?? '', /3600 s.*100;w=21600/);
      return true;
    });
  });

  test('survives errors of the registry for a while', async () => {
    await using at = await scene();
    at.registry.fault = ({ count }, response) => {
      if (count > 2) return false;
      response.writeHead(503).end('<html>down</html>');
      return true;
    };
    await at.pull();
    assert.equal(at.registry.requests.length, 5 * 3);
  });

  test('gives up in the end, with what the registry said', async () => {
    await using at = await scene();
    at.registry.fault = (_request, response) => {
      sendError(response, 500, 'UNKNOWN', 'disk\u001b[31m full');
      return true;
    };
    await assert.rejects(at.pull({ retry: 2 }), (error) => {
      assert.ok(isOciError(error, 'ERR_OCI_REGISTRY_UNAVAILABLE'));
      assert.equal(error.facts.status, 500);
      return true;
    });
    assert.equal(at.registry.requests.length, 3);
  });

  test('an abort in the middle of a body rejects with the reason at once and keeps what came', async () => {
    await using at = await scene();
    const controller = new AbortController();
    const reason = new Error('enough');
    at.registry.fault = async ({ path, method }, response) => {
      if (!path.endsWith(at.layer) || method !== 'GET') return false;
      const bytes = at.registry.blobs.get(at.layer) ?? new Uint8Array();
      response.writeHead(200, { 'content-length': bytes.length });
      response.write(bytes.subarray(0, 500_000));
      setTimeout(() => controller.abort(reason), 100);
      return true;
    };
    const before = performance.now();
    await assert.rejects(at.pull({ signal: controller.signal }), (error) => error === reason);
    assert.ok(performance.now() - before < 30_000);
    await assertUnnamed(at);
    at.registry.fault = undefined;
    const { report } = await at.pull();
    assert.equal(report.blobs.find(({ digest }) => digest === at.layer)?.status, 'resumed');
  });

  test('an aborted signal sends nothing', async () => {
    await using at = await scene();
    await assert.rejects(at.pull({ signal: AbortSignal.abort('no') }), (error) => error === 'no');
    assert.equal(at.registry.requests.length, 0);
  });

  test('two pulls at the same time fetch each blob once', async () => {
    await using at = await scene();
    await Promise.all([at.pull(), at.pull()]);
    const blobs = at.registry.requests.filter(({ path }) => path.includes('/blobs/')).map(({ path }) => path);
    assert.equal(blobs.length, new Set(blobs).size);
  });

  test('limits how many blobs travel at once', async () => {
    await using at = await scene();
    let now = 0;
    let most = 0;
    at.registry.fault = async ({ path }) => {
      if (!path.includes('/blobs/')) return false;
      most = Math.max(most, ++now);
      await pause(30);
      now--;
      return false;
    };
    await at.pull({ concurrency: 1 });
    assert.equal(most, 1);
  });

  test('a manifest beyond 4 MiB is not read', async () => {
    await using at = await scene();
    at.registry.fault = ({ path, method }, response) => {
      if (!path.includes('/manifests/')) return false;
      if (method === 'HEAD') sendError(response, 405, 'UNSUPPORTED');
      else response.writeHead(200, { 'content-type': at.top.mediaType }).end(Buffer.alloc(5_000_000, ' '));
      return true;
    };
    await assert.rejects(at.pull(), { code: 'ERR_OCI_LIMIT_EXCEEDED' });
  });
});

describe('redirects', () => {
  test('credentials stay with the registry', async () => {
    await using at = await scene();
    const seen: (string | undefined)[] = [];
    await using elsewhere = await listen((request, response) => {
      seen.push(request.headers.authorization);
      response.end(at.registry.blobs.get(request.url?.slice(1).replace(/\?.*/, '') ?? ''));
    });
    at.registry.fault = ({ headers, path }, response) => {
      if (headers['authorization'] === undefined) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      } else if (path.includes('/blobs/')) {
        const digest = path.slice(path.lastIndexOf('/') + 1);
        response.writeHead(307, { location: `http://${elsewhere.host}/${digest}?X-Signature=abc` }).end();
      } else return false;
      return true;
    };
    await at.pull({ credentials: { username: 'u', password: 'p' } });
    assert.deepEqual(seen, [undefined, undefined, undefined]);
  });

  test('coming back does not restore them', async () => {
    await using at = await scene();
    await using elsewhere = await listen((request, response) => {
      response.writeHead(302, { location: `http://${at.registry.host}${request.url}?back` }).end();
    });
    const back: unknown[] = [];
    at.registry.fault = ({ headers, path }, response) => {
      if (path.endsWith('?back')) {
        back.push(headers['authorization']);
        sendError(response, 404, 'BLOB_UNKNOWN');
      } else if (headers['authorization'] === undefined) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      } else if (path.includes('/blobs/'))
        response.writeHead(302, { location: `http://${elsewhere.host}${path}` }).end();
      else return false;
      return true;
    };
    await assert.rejects(at.pull({ credentials: { username: 'u', password: 'p' } }), {
      code: 'ERR_OCI_REGISTRY_NOT_FOUND',
    });
    assert.ok(back.length > 0);
    assert.ok(back.every((authorization) => authorization === undefined));
  });

  test('a circle ends', async () => {
    await using at = await scene((request, response) => {
      response.writeHead(307, { location: request.path }).end();
      return true;
    });
    await assert.rejects(at.pull(), { code: 'ERR_OCI_REGISTRY_REDIRECT_REFUSED' });
    assert.ok(at.registry.requests.length < 12);
  });
});

test('a remote image is read without a store, resuming', async () => {
  await using at = await scene();
  at.registry.fault = breakOnce(at, 1_000_000);
  await using image = await remoteImage(at.name, { env: {}, retryDelayMs: 1 });
  for (const layer of image.manifest.layers) {
    let size = 0;
    for await (const chunk of image.openBlob(layer)) size += chunk.length;
    assert.equal(size, layer.size);
  }
  const [first] = image.manifest.layers;
  assert.ok(first !== undefined);
  at.registry.blobs.set(first.digest, Buffer.alloc(first.size));
  await assert.rejects(
    async () => {
      for await (const chunk of image.openBlob(first)) assert.ok(chunk.length > 0);
    },
    { code: 'ERR_OCI_DIGEST_MISMATCH' },
  );
});

/** Sends some of the large layer, once, and hangs up. */
function breakOnce(at: Scene, after: number): Fault {
  let broken = false;
  return async ({ path, method }, response) => {
    if (broken || !path.endsWith(at.layer) || method !== 'GET') return false;
    broken = true;
    const bytes = at.registry.blobs.get(at.layer) ?? new Uint8Array();
    response.writeHead(200, { 'content-length': bytes.length });
    response.write(bytes.subarray(0, after));
    // Long enough for the bytes to arrive, which a reset would throw away.
    await pause(100);
    response.destroy();
    return true;
  };
}
