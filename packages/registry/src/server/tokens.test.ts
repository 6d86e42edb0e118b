import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createRegistryClient } from '../index.ts';
import { type RunningRegistry, startRegistry } from './index.ts';

describe('the token service', () => {
  let directory: string;
  let registry: RunningRegistry;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'oci-server-test-'));
    const auth = { type: 'bearer', username: 'anna', password: 'se:cret' } as const;
    registry = await startRegistry({ directory: join(directory, 'layout'), auth });
  });
  after(async () => {
    await registry.close();
    await rm(directory, { recursive: true });
  });

  interface Answer {
    readonly status: number;
    readonly token?: string;
    readonly refresh_token?: string;
    readonly scope?: string;
  }
  async function ask(form: Record<string, string>): Promise<Answer> {
    const answer = await fetch(`${registry.url}/token`, { method: 'POST', body: new URLSearchParams(form) });
    return { status: answer.status, ...((await answer.json()) as object) };
  }
  const scope = 'repository:team/app:pull,push';
  const owner = {
    grant_type: 'password',
    username: 'anna',
    password: 'se:cret',
    service: 'oci-registry',
    scope,
  };

  test('gives tokens by the OAuth2 password and refresh grants', async () => {
    const first = await ask({ ...owner, access_type: 'offline' });
    assert.equal(first.scope, 'repository:team/app:pull repository:team/app:push');
    const again = await ask({ grant_type: 'refresh_token', refresh_token: first.refresh_token ?? '', scope });
    for (const { token } of [first, again]) {
      const answer = await fetch(`${registry.url}/v2/team/app/blobs/uploads/`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
      });
      assert.equal(answer.status, 202);
    }
    assert.equal(again.refresh_token, undefined);
  });

  test('refuses wrong passwords, unknown refresh tokens and other grants', async () => {
    assert.equal((await ask({ ...owner, password: 'wrong' })).status, 401);
    assert.equal((await ask({ grant_type: 'refresh_token', refresh_token: 'made-up', scope })).status, 401);
    assert.equal((await ask({ ...owner, grant_type: 'authorization_code' })).status, 400);
    assert.equal((await fetch(`${registry.url}/token`, { method: 'PUT', body: '' })).status, 405);
    assert.equal((await fetch(`${registry.url}/token?scope=${scope}`)).status, 401);
  });

  test('serves a client that holds an identity token', async () => {
    const { refresh_token: identityToken = '' } = await ask({ ...owner, access_type: 'offline' });
    const env = { HOME: '/nonexistent' };
    await using client = createRegistryClient(registry.host, { env, credentials: { identityToken } });
    await client.ping();
  });

  test('names the address by which a proxy with TLS was asked', async () => {
    const answer = await fetch(`${registry.url}/v2/`, { headers: { 'x-forwarded-proto': 'https' } });
    assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer realm="https:\/\/127\.0\.0\.1:/);
  });
});
