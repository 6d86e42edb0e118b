import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createLayout } from '@ocijs/image';
import { startRegistry } from './index.ts';

async function errorCode(answer: Response): Promise<string> {
  const { errors } = (await answer.json()) as { errors: { code: string }[] };
  return errors[0]?.code ?? '';
}

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
    const staged = async (): Promise<string[]> =>
      (await readdir(tmpdir())).filter((name) => name.startsWith('oci-registry-'));
    const earlier = await staged();
    const registry = await startRegistry({ directory: join(directory, 'closing') });
    await fetch(`${registry.url}/v2/a/blobs/uploads/`, { method: 'POST' });
    await Promise.all([registry.close(), registry.close()]);
    assert.deepEqual(
      (await staged()).filter((name) => !earlier.includes(name)),
      [],
    );
    await assert.rejects(fetch(`${registry.url}/v2/`));
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
