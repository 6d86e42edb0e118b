import assert from 'node:assert/strict';
import { mkdtemp, readdir, readlink, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createLayout, type Store } from '@ocijs/image';
import { startRegistry } from './index.ts';
import { errorCode } from './requests.testkit.ts';

describe('a registry with rules', () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'oci-server-test-'));
  });
  after(() => rm(directory, { recursive: true }));

  test('read-only refuses every change', async () => {
    await (await createLayout(join(directory, 'fixed')))[Symbol.asyncDispose]();
    await using registry = await startRegistry({ directory: join(directory, 'fixed'), readOnly: true });
    const answer = await fetch(`${registry.url}/v2/a/blobs/uploads/`, { method: 'POST' });
    assert.equal(answer.status, 405);
    assert.equal(await errorCode(answer), 'UNSUPPORTED');
    for (const path of ['manifests/a', `blobs/sha256:${'0'.repeat(64)}`])
      assert.equal((await fetch(`${registry.url}/v2/a/${path}`, { method: 'DELETE' })).status, 405);
  });

  test('basic authentication', async () => {
    const auth = { type: 'basic', username: 'anna', password: 'se:cret' } as const;
    await using registry = await startRegistry({ directory: join(directory, 'basic'), auth });
    const ask = (credentials?: string): Promise<Response> =>
      fetch(`${registry.url}/v2/`, {
        headers:
          credentials === undefined
            ? {}
            : { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
      });
    const anonymous = await ask();
    assert.equal(anonymous.status, 401);
    assert.match(anonymous.headers.get('www-authenticate') ?? '', /^Basic realm=/);
    assert.equal((await ask('anna:wrong')).status, 401);
    assert.equal((await ask('anna:se:cret')).status, 200);
  });

  test('bearer tokens are good for their scope and their time', async () => {
    const auth = {
      type: 'bearer',
      username: 'anna',
      password: 'secret',
      anonymousPull: true,
      lifetime: 1,
    } as const;
    await using registry = await startRegistry({ directory: join(directory, 'bearer'), auth });
    const post = (authorization?: string): Promise<Response> =>
      fetch(`${registry.url}/v2/team/app/blobs/uploads/`, {
        method: 'POST',
        headers: authorization === undefined ? {} : { authorization },
      });
    const challenge = (await post()).headers.get('www-authenticate') ?? '';
    assert.equal(
      challenge,
      `Bearer realm="${registry.url}/token",service="oci-registry",scope="repository:team/app:pull,push"`,
    );
    const token = async (headers: Record<string, string>): Promise<string> => {
      const answer = await fetch(
        `${registry.url}/token?service=oci-registry&scope=repository:team/app:pull,push`,
        { headers },
      );
      return answer.status === 200
        ? ((await answer.json()) as { token: string }).token
        : `status ${answer.status}`;
    };
    const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });
    assert.equal(await token(basic('anna:wrong')), 'status 401');
    const anonymous = await post(`Bearer ${await token({})}`);
    assert.match(anonymous.headers.get('www-authenticate') ?? '', /error="insufficient_scope"/);
    const owner = `Bearer ${await token(basic('anna:secret'))}`;
    assert.equal((await post(owner)).status, 202);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    assert.match((await post(owner)).headers.get('www-authenticate') ?? '', /error="invalid_token"/);
  });

  test('close ends idle connections at once, removes uploads and is idempotent', async () => {
    const layout = join(directory, 'closing');
    const registry = await startRegistry({ directory: layout });
    const descriptors = async (): Promise<readonly string[]> =>
      process.platform === 'linux' ? openFiles(layout) : [];
    await fetch(`${registry.url}/v2/a/blobs/uploads/`, { method: 'POST' });
    assert.equal((await descriptors()).length, process.platform === 'linux' ? 1 : 0);
    await Promise.all([registry.close(), registry.close()]);
    assert.deepEqual(await descriptors(), []);
    await assert.rejects(fetch(`${registry.url}/v2/`));
  });

  test('clients that go away leave no blob open', {
    skip: process.platform !== 'linux' && 'needs /proc',
  }, async () => {
    const layout = join(directory, 'leaving');
    await using store = await createLayout(layout);
    const { digest } = await store.put(Buffer.alloc(500_000), { mediaType: 'application/octet-stream' });
    const { promise: gone, resolve: onRequest } = Promise.withResolvers<unknown>();
    // The file is opened when the client is gone already.
    const size: Store['size'] = async (wanted) => {
      await gone;
      return store.size(wanted);
    };
    const registry = await startRegistry({ store: { ...store, size }, onRequest });
    const socket = connect(registry.port, '127.0.0.1', () => {
      socket.write(`GET /v2/a/blobs/${digest} HTTP/1.1\r\nhost: x\r\n\r\n`, () => socket.destroy());
    });
    await gone;
    await registry.close();
    for (let attempt = 0; (await openFiles(layout)).length > 0 && attempt < 200; attempt++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(await openFiles(layout), []);
  });

  test('a blob takes as long as it takes to become one, though the connection stands still', async () => {
    await using store = await createLayout(join(directory, 'slow'));
    const ingest: Store['ingest'] = async (...wanted) => {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return store.ingest(...wanted);
    };
    const limits = { socketIdle: 100 };
    await using registry = await startRegistry({ store: { ...store, ingest }, limits });
    const start = await fetch(`${registry.url}/v2/a/blobs/uploads/`, { method: 'POST' });
    const location = registry.url + start.headers.get('location');
    const digest = `sha256:${'0'.repeat(64)}`;
    assert.equal((await fetch(location, { method: 'PATCH', body: 'bytes' })).status, 202);
    const wrong = await fetch(`${location}?digest=${digest}`, { method: 'PUT' });
    assert.equal(await errorCode(wrong), 'DIGEST_INVALID');
  });

  test('an upload that nobody continues is dropped', async () => {
    const limits = { uploadIdle: 10, uploads: 1 };
    await using registry = await startRegistry({ directory: join(directory, 'idle'), limits });
    const start = (): Promise<Response> => fetch(`${registry.url}/v2/a/blobs/uploads/`, { method: 'POST' });
    const first = await start();
    for (let status = 0; status !== 202; status = (await start()).status)
      await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal((await fetch(registry.url + first.headers.get('location'))).status, 404);
  });

  test('an abort closes it, and an address in use is an error', async () => {
    const controller = new AbortController();
    const registry = await startRegistry({ directory: join(directory, 'abort'), signal: controller.signal });
    await assert.rejects(startRegistry({ directory: join(directory, 'abort'), port: registry.port }), {
      code: 'EADDRINUSE',
    });
    controller.abort(new Error('enough'));
    await registry.close();
    await assert.rejects(startRegistry({ directory, signal: controller.signal }), /enough/);
  });
});

/** The files below a directory that this process holds open. */
async function openFiles(directory: string): Promise<readonly string[]> {
  const links = await Promise.all(
    (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
  );
  return links.filter((path) => path.startsWith(directory));
}
