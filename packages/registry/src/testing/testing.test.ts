import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { makeImage, temporaryStore } from '../images.testkit.ts';
import { pull } from '../index.ts';
import { type Fault, scripted, seeded, startTestRegistry, type TestRegistry } from './index.ts';

const env = { HOME: '/nonexistent' };

describe('each fault, as a client sees it', () => {
  let registry: TestRegistry;
  let path: string;
  const bytes = randomBytes(100_000);

  before(async () => {
    registry = await startTestRegistry();
    const { digest } = await registry.store.put(bytes, { mediaType: 'application/octet-stream' });
    path = `/v2/app/blobs/${digest}`;
  });
  after(() => registry.close());

  const get = (fault: Fault, headers: Record<string, string> = {}): Promise<Response> => {
    registry.plan = scripted([{ fault }]);
    return fetch(registry.url + path, { headers, redirect: 'manual' });
  };
  const body = async (answer: Response): Promise<Buffer> => Buffer.from(await answer.arrayBuffer());

  test('status, with Retry-After and the error body of the specification', async () => {
    const answer = await get({ kind: 'status', status: 429, retryAfterSeconds: 7 });
    assert.equal(answer.status, 429);
    assert.equal(answer.headers.get('retry-after'), '7');
    const { errors } = (await answer.json()) as { errors: { code: string }[] };
    assert.equal(errors[0]?.code, 'TOOMANYREQUESTS');
    const again = await fetch(registry.url + path);
    assert.deepEqual(await body(again), bytes);
  });

  test('dropped connections', async () => {
    await assert.rejects(get({ kind: 'drop', when: 'before' }));
    registry.plan = scripted([{ method: 'POST', fault: { kind: 'drop', when: 'after' } }]);
    const { digest } = await registry.store.put(Buffer.from('x'), { mediaType: 'a/b' });
    await registry.store.untag('none');
    const pushed = `${registry.url}/v2/app/blobs/uploads/?digest=${digest}`;
    await assert.rejects(fetch(pushed, { method: 'POST', body: 'x' }));
    registry.plan = scripted([{ method: 'POST', fault: { kind: 'drop-upload', after: 1000 } }]);
    await assert.rejects(fetch(pushed, { method: 'POST', body: randomBytes(100_000) }));
  });

  test('bodies that are cut, short, wrong, slow, paused or late', async () => {
    const truncated = await get({ kind: 'truncate', after: 5000 });
    assert.equal(truncated.headers.get('content-length'), '100000');
    await assert.rejects(body(truncated));
    const short = await get({ kind: 'shorten', after: 5000 });
    assert.equal(short.headers.get('content-length'), '5000');
    assert.deepEqual(await body(short), bytes.subarray(0, 5000));
    const corrupt = await body(await get({ kind: 'corrupt', at: 70_000 }));
    assert.deepEqual(
      [...corrupt.keys()].filter((index) => corrupt[index] !== bytes[index]),
      [70_000],
    );
    for (const fault of [
      { kind: 'slow', bytesPerSecond: 1_000_000 },
      { kind: 'stall', after: 50_000, forMs: 60 },
      { kind: 'delay', ms: 60 },
    ] as const) {
      const started = performance.now();
      assert.deepEqual(await body(await get(fault)), bytes);
      assert.ok(performance.now() - started >= 50, fault.kind);
    }
  });

  test('ignored ranges, and redirects to a host that is not shown credentials', async () => {
    const whole = await get({ kind: 'ignore-range' }, { range: 'bytes=0-9' });
    assert.equal(whole.status, 200);
    assert.deepEqual(await body(whole), bytes);
    const redirect = await get({ kind: 'redirect' });
    assert.equal(redirect.status, 307);
    assert.equal(redirect.headers.get('location'), `http://${registry.elsewhere.host}${path}`);
    const elsewhere = await fetch(redirect.headers.get('location') ?? '', {
      headers: { range: 'bytes=0-9' },
    });
    assert.deepEqual(await body(elsewhere), bytes.subarray(0, 10));
    assert.deepEqual(
      registry.elsewhere.requests.map(({ method, headers }) => [method, headers['authorization']]),
      [['GET', undefined]],
    );
  });
});

test('a script skips, repeats and tells requests apart', () => {
  const fault = { kind: 'delay', ms: 1 } as const;
  const plan = scripted([
    { method: 'PUT', fault: { kind: 'ignore-range' } },
    { path: /blobs\/sha/, skip: 1, times: 2, fault },
  ]);
  const ask = (method: string, path: string) => plan({ method, path, headers: {}, count: 1 });
  const blob = '/v2/a/blobs/sha256:0';
  assert.deepEqual(
    [1, 2, 3, 4].map(() => ask('GET', blob)),
    [undefined, fault, fault, undefined],
  );
  assert.equal(ask('GET', '/v2/a/manifests/1'), undefined);
  assert.deepEqual(ask('PUT', '/v2/a/manifests/1'), { kind: 'ignore-range' });
  assert.equal(ask('PUT', '/v2/a/manifests/1'), undefined);
});

test('a seed makes the same faults, of the kinds and in the share that were asked for', () => {
  const requests = Array.from({ length: 2000 }, (_, number) => ({
    method: 'GET',
    path: `/v2/a/blobs/${number}`,
    headers: {},
    count: 1,
  }));
  const plan = seeded({ seed: 1, rate: 0.3 });
  const faults = requests.map(plan);
  assert.deepEqual(requests.map(seeded({ seed: 1, rate: 0.3 })), faults);
  assert.notDeepEqual(requests.map(seeded({ seed: 2, rate: 0.3 })), faults);
  const happened = faults.filter((fault) => fault !== undefined);
  assert.ok(Math.abs(happened.length - 600) < 100, `${happened.length}`);
  assert.equal(new Set(happened.map(({ kind }) => kind)).size, 11);
  const only = seeded({ seed: 1, rate: 1, kinds: ['corrupt'], harmlessFrom: 3 });
  assert.deepEqual(
    [1, 2, 3].map((count) => only({ method: 'GET', path: '/', headers: {}, count })?.kind),
    ['corrupt', 'corrupt', undefined],
  );
  const session = (id: string) =>
    plan({ method: 'PUT', path: `/v2/a/blobs/uploads/${id}`, headers: {}, count: 1 });
  assert.deepEqual(session('one'), session('two'));
});

test('a temporary registry is gone when it is closed; one with bearer authentication works through the proxy', async () => {
  const account = { username: 'u', password: 'p' };
  const registry = await startTestRegistry({ auth: { type: 'bearer', ...account } });
  const { directory } = registry.store;
  await registry.store.tag('app:1', await makeImage(registry.store));
  registry.plan = scripted([{ method: 'GET', path: '/blobs/', times: 9, fault: { kind: 'redirect' } }]);
  await using target = await temporaryStore();
  await pull(`${registry.host}/app:1`, { store: target.store, env, credentials: account });
  assert.equal(registry.elsewhere.requests.length, 3);
  assert.ok(registry.elsewhere.requests.every(({ headers }) => headers['authorization'] === undefined));
  assert.ok(registry.requests.some(({ path }) => path.startsWith('/token')));
  await registry.close();
  assert.equal(existsSync(directory), false);
  await assert.rejects(fetch(registry.url));
});
