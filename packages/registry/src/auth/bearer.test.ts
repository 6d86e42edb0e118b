import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isOciError, parseDigest } from '@ocijs/image';
import { createRegistryClient, type RegistryClient } from '../client.ts';
import {
  digestOf,
  type FaultRegistry,
  listen,
  readAll,
  sendError,
  sendJson,
  startFaultRegistry,
  type TestServer,
} from '../fault-registry.testkit.ts';
import type { RegistryOptions } from '../options.ts';

/** A request to the token service. */
interface TokenCall {
  readonly method: string;
  readonly url: URL;
  readonly authorization: string | undefined;
  readonly form: URLSearchParams;
}

interface Scene extends AsyncDisposable {
  readonly registry: FaultRegistry;
  readonly calls: TokenCall[];
  /** Tokens that the registry takes; every issued one is added. */
  readonly valid: Set<string>;
  /** What the token service answers besides a token. */
  answer: Readonly<Record<string, unknown>>;
  client(options?: RegistryOptions): RegistryClient;
}

async function scene({ realm }: { readonly realm?: string } = {}): Promise<Scene> {
  const calls: TokenCall[] = [];
  const valid = new Set<string>();
  const state = { answer: {} as Readonly<Record<string, unknown>> };
  const service: TestServer = await listen(async (request, response) => {
    const form = new URLSearchParams((await readAll(request)).toString());
    const url = new URL(request.url ?? '', 'http://token');
    calls.push({ method: request.method ?? '', url, authorization: request.headers.authorization, form });
    const token = `issued-${calls.length}`;
    valid.add(token);
    sendJson(response, { token, expires_in: 300, ...state.answer });
  });
  const registry = await startFaultRegistry(({ headers, path }, response) => {
    const sent = String(headers['authorization'] ?? '');
    if (valid.has(sent.replace('Bearer ', ''))) return false;
    const scope = path.includes('/tags/') ? 'repository:a:pull' : 'repository:a:pull,push';
    const where = realm ?? `http://${service.host}/token`;
    response.setHeader('www-authenticate', `Bearer realm="${where}",service="svc",scope="${scope}"`);
    sendError(response, 401, 'UNAUTHORIZED', `not with ${sent}`);
    return true;
  });
  return Object.assign(state, {
    registry,
    calls,
    valid,
    client: (options: RegistryOptions = {}) =>
      createRegistryClient(registry.host, { env: {}, retryDelayMs: 1, ...options }),
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await service[Symbol.asyncDispose]();
    },
  });
}

describe('bearer tokens', () => {
  test('are fetched once for a scope, without credentials when there are none', async () => {
    await using at = await scene();
    await using client = at.client();
    await Promise.all([client.tags('a'), client.tags('a'), client.tags('a')]);
    await client.tags('a');
    assert.equal(at.calls.length, 1);
    const [call] = at.calls;
    assert.equal(call?.authorization, undefined);
    assert.equal(call?.url.searchParams.get('service'), 'svc');
    assert.deepEqual(call?.url.searchParams.getAll('scope'), ['repository:a:pull']);
  });

  test('of another scope are asked for before the registry has to refuse', async () => {
    await using at = await scene();
    await using client = at.client();
    await client.tags('a');
    await client.tags('b');
    assert.equal(at.calls.length, 2);
    assert.equal(at.registry.requests.filter(({ path }) => path.startsWith('/v2/b/')).length, 1);
  });

  test('user and password go to the token service only', async () => {
    await using at = await scene();
    await using client = at.client({ credentials: { username: 'u', password: 'p' } });
    await client.tags('a');
    assert.equal(at.calls[0]?.authorization, `Basic ${btoa('u:p')}`);
    assert.equal(at.calls[0]?.url.searchParams.get('account'), 'u');
    assert.ok(
      at.registry.requests.every(({ headers }) => !String(headers['authorization']).startsWith('Basic')),
    );
  });

  test('an identity token is exchanged by POST', async () => {
    await using at = await scene();
    at.answer = { token: undefined, access_token: 'from-oauth' };
    at.valid.add('from-oauth');
    await using client = at.client({ credentials: { identityToken: 'refresh-me' } });
    await client.tags('a');
    const [call] = at.calls;
    assert.equal(call?.method, 'POST');
    assert.equal(call?.form.get('grant_type'), 'refresh_token');
    assert.equal(call?.form.get('refresh_token'), 'refresh-me');
    assert.equal(call?.form.get('scope'), 'repository:a:pull');
    assert.doesNotMatch(call?.url.href ?? '', /refresh-me/);
  });

  test('a registry token is sent as it is', async () => {
    await using at = await scene();
    at.valid.add('ready-made');
    await using client = at.client({ credentials: { registryToken: 'ready-made' } });
    await client.tags('a');
    assert.equal(at.calls.length, 0);
  });

  test('are renewed when they have expired', async () => {
    await using at = await scene();
    at.answer = { expires_in: 0.001 };
    await using client = at.client();
    await client.tags('a');
    await new Promise((resolve) => setTimeout(resolve, 20));
    await client.tags('a');
    assert.equal(at.calls.length, 2);
    // The renewal came first: the registry refused nothing but the very first request.
    assert.equal(at.registry.requests.length, 3);
  });

  test('are renewed once when the registry takes them no longer', async () => {
    await using at = await scene();
    await using client = at.client();
    await client.tags('a');
    at.valid.clear();
    await client.tags('a');
    assert.equal(at.calls.length, 2);
  });

  test('that are refused at once are an error, which repeats no secret', async () => {
    await using at = await scene();
    at.answer = { token: 'useless-secret' };
    await using client = at.client({ credentials: { username: 'user', password: 'pass-w0rd' } });
    await assert.rejects(client.tags('a'), (error) => {
      assert.ok(isOciError(error, 'ERR_OCI_REGISTRY_UNAUTHORIZED'));
      assert.doesNotMatch(
        `${error.message}${error.hint}${JSON.stringify(error.facts)}`,
        /useless-secret|pass-w0rd/,
      );
      return true;
    });
    assert.equal(at.calls.length, 1);
  });

  test('a token service that refuses is an error, which repeats no secret', async () => {
    await using refusing = await listen((request, response) => {
      sendError(response, 401, 'UNAUTHORIZED', `wrong: ${request.headers.authorization} pass-w0rd`);
    });
    await using at = await scene({ realm: `http://${refusing.host}/t` });
    await using client = at.client({ credentials: { username: 'user', password: 'pass-w0rd' } });
    await assert.rejects(client.tags('a'), (error) => {
      assert.ok(isOciError(error, 'ERR_OCI_REGISTRY_UNAUTHORIZED'));
      assert.doesNotMatch(error.message, new RegExp(`pass-w0rd|${btoa('user:pass-w0rd')}`));
      return true;
    });
  });

  test('an answer without a token, or too long, is refused', async () => {
    await using at = await scene();
    await using client = at.client();
    for (const answer of [{ token: '' }, { token: 'line\r\nbreak' }, { token: 7 }]) {
      at.answer = answer;
      await assert.rejects(client.tags('a'), { code: 'ERR_OCI_REGISTRY_PROTOCOL' });
    }
    at.answer = { token: 'x'.repeat(70_000) };
    await assert.rejects(client.tags('a'), { code: 'ERR_OCI_LIMIT_EXCEEDED' });
  });

  test('a token service that redirects elsewhere takes no credentials along', async () => {
    const seen: (string | undefined)[] = [];
    await using thief = await listen((request, response) => {
      seen.push(request.headers.authorization);
      sendJson(response, { token: 'stolen' });
    });
    await using redirecting = await listen((_request, response) => {
      response.writeHead(302, { location: `http://${thief.host}/` }).end();
    });
    await using at = await scene({ realm: `http://${redirecting.host}/t` });
    await using client = at.client({ credentials: { username: 'u', password: 'p' } });
    await assert.rejects(client.tags('a'), { code: 'ERR_OCI_REGISTRY_UNAUTHORIZED' });
    assert.deepEqual(seen, [undefined]);
    await using posting = at.client({ credentials: { identityToken: 'refresh-me' } });
    await assert.rejects(posting.tags('a'), { code: 'ERR_OCI_REGISTRY_REDIRECT_REFUSED' });
    assert.equal(seen.length, 1);
  });

  test('a token service that gives none for the repository of a mount stops no upload', async () => {
    const bytes = Buffer.from('layer');
    await using registry = await startFaultRegistry();
    await using service = await listen((request, response) => {
      if (request.url?.includes('other')) sendError(response, 403, 'DENIED');
      else sendJson(response, { token: 'good' });
    });
    registry.fault = ({ headers }, response) => {
      if (headers['authorization'] === 'Bearer good') return false;
      response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${service.host}/t"` }).end();
      return true;
    };
    await using client = createRegistryClient(registry.host, { env: {}, retryDelayMs: 1 });
    const descriptor = { mediaType: 'x/y', digest: parseDigest(digestOf(bytes)), size: bytes.length };
    async function* open(): AsyncGenerator<Uint8Array> {
      yield bytes;
    }
    assert.equal(await client.uploadBlob('mine', descriptor, { open, mountFrom: 'other' }), 'pushed');
  });
});
