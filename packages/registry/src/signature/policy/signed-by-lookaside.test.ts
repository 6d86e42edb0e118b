import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { listen } from '../../fault-registry.testkit.ts';
import { temporaryStore } from '../../images.testkit.ts';
import { checkPolicy, copy, pull, remoteImage } from '../../index.ts';
import { limits } from '../../limits.ts';
import { missingGpgAgent } from '../gpg/gpg.testkit.ts';
import { byAnn, type SignedByScene, signedByScene } from './signed-by.testkit.ts';

const run = promisify(execFile);
const rejected = (message: RegExp) => ({ code: 'ERR_OCI_SIGNATURE_REJECTED', message });

describe('a lookaside', { skip: missingGpgAgent }, () => {
  let at: SignedByScene;
  before(async () => {
    at = await signedByScene();
  });
  after(() => at[Symbol.asyncDispose]());

  const check = (options: object = {}) => checkPolicy(at.name, { ...at.options, ...options });
  /** Serves signatures, and writes down what was asked for. */
  async function served(listener: RequestListener) {
    await at.reset();
    const seen: { readonly path: string; readonly headers: object }[] = [];
    const server = await listen((request, response) => {
      seen.push({ path: request.url ?? '', headers: request.headers });
      listener(request, response);
    });
    await at.configure(`docker:\n  "${at.registry.host}":\n    lookaside: http://${server.host}/sigs\n`);
    return { ...server, seen, [Symbol.asyncDispose]: server[Symbol.asyncDispose] };
  }
  const first = () => `/sigs/team/app@${at.image.digest.replace(':', '=')}/signature-1`;
  /** Answers the first signature with these bytes, and 404 for others. */
  const only =
    (bytes: Uint8Array): RequestListener =>
    ({ url }, response) => {
      if (url === first()) response.end(bytes);
      else response.writeHead(404).end();
    };

  test('on a server is read signature by signature, without credentials', async () => {
    const wrong = await at.signed({}, ['-u', at.bob, '--sign']);
    const right = await at.signed();
    await using server = await served(({ url = '' }, response) => {
      if (url.endsWith('-1')) response.end(wrong);
      else if (url.endsWith('-2')) response.end(right);
      else response.writeHead(404).end();
    });
    const credentials = { username: 'user', password: 'password' };
    const { requirements } = await check({ credentials });
    assert.deepEqual(requirements, ['signedBy']);
    assert.deepEqual(
      server.seen.map(({ path }) => path),
      [first(), first().replace(/1$/, '2')],
    );
    assert.ok(server.seen.every(({ headers }) => !('authorization' in headers) && !('cookie' in headers)));
    if (at.withoutSkopeo === false) assert.equal((await at.skopeo(at.name)).accepted, true);
  });

  test('without a signature refuses the image', async () => {
    await using server = await served((_, response) => void response.writeHead(404).end());
    await assert.rejects(check(), rejected(/has no GPG signature in http:/));
    assert.equal(server.seen.length, 1);
  });

  for (const [status, code] of [
    [403, 'ERR_OCI_REGISTRY_PROTOCOL'],
    [500, 'ERR_OCI_REGISTRY_UNAVAILABLE'],
  ] as const)
    test(`that answers ${status} is no lookaside without a signature`, async () => {
      await using _server = await served((_, response) => void response.writeHead(status).end());
      await assert.rejects(check(), { code, message: new RegExp(`signature http:.*\\(${status}\\)`) });
      if (at.withoutSkopeo === false) assert.equal((await at.skopeo(at.name)).accepted, false);
    });

  test('that fails once is asked again', async () => {
    const right = await at.signed();
    let asked = 0;
    await using _server = await served((_, response) => {
      asked++;
      if (asked === 1) response.writeHead(503).end();
      else response.end(right);
    });
    await check({ retry: 1, retryDelayMs: 1 });
    assert.equal(asked, 2);
  });

  test('that is not there makes the check fail', async () => {
    await using server = await served((_, response) => void response.end());
    await server[Symbol.asyncDispose]();
    await assert.rejects(check(), { code: 'ERR_OCI_REGISTRY_UNAVAILABLE' });
    await at.reset();
  });

  test('that has a page for everything is no lookaside', async () => {
    await using server = await served((_, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Not found</html>');
    });
    await assert.rejects(check(), rejected(/signature-1 is no signature in binary form/));
    assert.equal(server.seen.length, 1);
  });

  test('that redirects to another server is followed there, with nothing in hand', async () => {
    await at.reset();
    const right = await at.signed();
    await using other = await listen((request, response) => {
      assert.equal(request.headers.authorization, undefined);
      response.end(right);
    });
    await using _server = await served((_, response) => {
      response.writeHead(302, { location: `http://${other.host}/elsewhere`, 'set-cookie': 'a=b' }).end();
    });
    await check({ credentials: { username: 'user', password: 'password' } });
  });

  for (const [what, location] of [
    ['to a file', 'file:///etc/hostname'],
    ['with a password', 'http://user:password@127.0.0.1/'],
    ['in a circle', '/again'],
  ] as const)
    test(`that redirects ${what} is refused`, async () => {
      await using server = await served((_, response) => void response.writeHead(302, { location }).end());
      await assert.rejects(check(), { code: 'ERR_OCI_REGISTRY_REDIRECT_REFUSED' });
      assert.ok(server.seen.length <= limits.redirects + 1);
    });

  test('with signatures without end is given up', async () => {
    const other = Buffer.from('\0sigstore-json\n{}');
    await using server = await served((_, response) => void response.end(other));
    await assert.rejects(check(), rejected(/more than 127 signatures/));
    assert.equal(server.seen.length, limits.lookasideSignatures);
  });

  test('with a signature without end is given up', async () => {
    await using server = await served((_, response) => {
      const more = (): void => {
        while (response.write(Buffer.alloc(65_536, 0x90)));
      };
      response.on('drain', more);
      more();
    });
    await assert.rejects(check(), rejected(/larger than 262144 bytes/));
    assert.equal(server.seen.length, 1);
  });

  test('with an address that holds a password is refused', async () => {
    await at.reset();
    await at.configure('default-docker:\n  lookaside: https://user:secret@example.com/\n');
    await assert.rejects(check(), (error: Error & { code?: unknown }) => {
      assert.equal(error.code, 'ERR_OCI_REGISTRY_CONFIG_INVALID');
      assert.ok(!error.message.includes('secret'));
      return true;
    });
  });

  test('that nobody names is the directory where skopeo and podman write', async () => {
    await at.reset();
    await assert.rejects(
      check({ registriesDirectory: false }),
      rejected(/has no GPG signature in file:.*\/sigstore\/team\/app \(registries\.d names no other place\)/),
    );
  });

  test('does not help without gpg, which is said', async () => {
    await at.reset();
    await at.put(await at.signed());
    await assert.rejects(check({ env: { ...at.options.env, PATH: '/nonexistent' } }), {
      code: 'ERR_OCI_SIGNATURE_GPG',
      hint: /install GnuPG/,
    });
  });

  test('is not waited for when the caller gives up', async () => {
    const controller = new AbortController();
    await using _server = await served(() => controller.abort(new Error('enough')));
    await assert.rejects(check({ signal: controller.signal }), { message: 'enough' });
  });

  test('of a mirror is the one that counts, for a signature of the name that was asked for', async () => {
    await at.reset();
    const name = 'example.com/team/app:v1';
    const location = `${at.registry.host}/team/app`;
    const lines = ['[[registry]]', 'location = "example.com/team/app"', '[[registry.mirror]]'];
    await at.write(
      'home/.config/containers/registries.conf',
      [...lines, `location = "${location}"`, 'insecure = true', ''].join('\n'),
    );
    const transports = { docker: { 'example.com': [byAnn(at)] } };
    await at.write('policy.json', JSON.stringify({ default: [{ type: 'reject' }], transports }));
    await at.put(await at.signed({ identity: name }));
    const { requirements } = await checkPolicy(name, at.options);
    assert.deepEqual(requirements, ['signedBy']);
    if (at.withoutSkopeo === false) assert.deepEqual(await at.skopeo(name), { accepted: true, said: '' });
  });

  test('with a signature opens every entrance, and none without', async () => {
    await at.reset();
    await using target = await temporaryStore();
    const { store } = target;
    const entrances: readonly (() => Promise<unknown>)[] = [
      () => pull(at.name, { ...at.options, store }),
      async () => {
        await using image = await remoteImage(at.name, at.options);
        return image.name;
      },
      () =>
        copy(
          { transport: 'registry', reference: at.name },
          { transport: 'store', store, name: 'copied' },
          at.options,
        ),
    ];
    for (const enter of entrances)
      await assert.rejects(enter(), rejected(/\(signedBy\): .* has no GPG signature/));
    assert.deepEqual(await store.list(), []);
    await at.put(await at.signed());
    for (const enter of entrances) await enter();
    assert.equal((await store.list()).length, 2);
  });

  test('is not asked when the policy asks for nothing', async () => {
    await using server = await served(only(Buffer.alloc(0)));
    await at.demand({ type: 'insecureAcceptAnything' });
    await check();
    await at.demand(byAnn(at));
    await check({ policy: false });
    assert.deepEqual(server.seen, []);
  });

  test('has what skopeo signed', async (context) => {
    if (at.withoutSkopeo !== false) return context.skip(at.withoutSkopeo);
    await at.reset();
    const env = { PATH: process.env['PATH'], HOME: at.file('home'), GNUPGHOME: at.signer.home };
    const output = at.file('standalone');
    await run('skopeo', ['standalone-sign', at.file('manifest'), at.name, at.ann, '-o', output], { env });
    await at.put(await readFile(output));
    await check();
    await at.demand({ ...byAnn(at), keyPath: at.file('bob.gpg') });
    await assert.rejects(check(), rejected(/none of the policy's/));
  });

  test('has what skopeo signed while it copied', async (context) => {
    if (at.withoutSkopeo !== false) return context.skip(at.withoutSkopeo);
    await at.reset();
    const staging = at.file('lookaside');
    await at.configure(
      `docker:\n  "${at.registry.host}":\n    lookaside: file://${staging}\n    lookaside-staging: file://${staging}\n`,
    );
    const env = { PATH: process.env['PATH'], HOME: at.file('home'), GNUPGHOME: at.signer.home };
    const anything = ['--insecure-policy', '--registries.d', at.options.registriesDirectory];
    const tls = ['--src-tls-verify=false', '--dest-tls-verify=false'];
    const name = at.name.replace('team/app:v1', 'team/signed:v2');
    const command = ['copy', '-q', ...tls, '--sign-by', at.ann, `docker://${at.name}`, `docker://${name}`];
    await run('skopeo', [...anything, ...command], { env });
    const { digest } = await checkPolicy(name, at.options);
    assert.equal(digest, at.image.digest);
  });
});
