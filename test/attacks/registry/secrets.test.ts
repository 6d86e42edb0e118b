import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { digestBytes, MediaType } from '@ocijs/image';
import { createRegistryClient, listTags, type RegistryOptions } from '@ocijs/registry';
import { type Answer, document, type HostileWorld, hostileWorld, sendError } from './hostile-registry.ts';

const password = 's3cret-passw0rd';
const credentials = { username: 'ann', password };
const basic = `Basic ${Buffer.from(`ann:${password}`).toString('base64')}`;
const name = 'registry.example/team/app';

/** Everything that a person, a log or a JSON document could see of a failure. */
async function shownBy(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Error, 'it must fail');
  return `${inspect(error, { depth: 10, showHidden: true })}\n${JSON.stringify(error)}`;
}

function assertSecret(text: string): void {
  for (const secret of [password, basic.slice(6), 't0ken-of-ann']) assert.ok(!text.includes(secret), secret);
}

/** Sends the client on with `answer` once it has shown its password. */
function afterLogin(answer: Answer): Promise<HostileWorld> {
  return hostileWorld((request, response) => {
    if (request.host === 'registry.example' && request.headers.authorization !== basic)
      response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
    else answer(request, response);
  });
}

function elsewhere({ requests }: HostileWorld): readonly (string | undefined)[] {
  return requests
    .filter(({ host }) => host !== 'registry.example')
    .map(({ headers }) => headers.authorization);
}

describe('attack 22: a token service that is somewhere else (CVE-2026-33540)', () => {
  for (const realm of [
    'http://169.254.169.254/latest/meta-data/iam',
    'http://metadata.google.internal/token',
    'http://127.0.0.1:1/token',
    'http://localhost:1/token',
    'http://10.0.0.1/token',
    'http://[::1]:1/token',
    'http://ann:x@auth.example/token',
    'file:///etc/passwd',
  ]) {
    test(realm, async () => {
      await using at = await hostileWorld((_request, response) => {
        response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}",service="s"` }).end();
      });
      const shown = await shownBy(listTags(name, { ...at.options, credentials }));
      assert.match(shown, /ERR_OCI_REGISTRY_REDIRECT_REFUSED/);
      assertSecret(shown);
      assert.deepEqual([...at.hosts], ['registry.example']);
    });
  }
});

describe('attack 23: redirects, upload locations and page links to another host', () => {
  test('a redirect of a blob goes without the password', async () => {
    const blob = Buffer.from('blob');
    await using at = await afterLogin(({ host, path }, response) => {
      if (host === 'registry.example')
        response.writeHead(307, { location: `http://cdn.example${path}` }).end();
      else response.end(blob);
    });
    const descriptor = { mediaType: 'text/plain', digest: digestBytes(blob), size: blob.length };
    await using client = createRegistryClient('registry.example', { ...at.options, credentials });
    for await (const chunk of client.getBlob('team/app', descriptor)) assert.equal(String(chunk), 'blob');
    assert.deepEqual(elsewhere(at), [undefined]);
  });

  test('a redirect that comes back does not bring it back', async () => {
    await using at = await afterLogin(({ host, path }, response) => {
      if (host === 'other.example')
        response.writeHead(307, { location: 'http://registry.example/v2/end' }).end();
      else if (path === '/v2/end') sendError(response, 404);
      else response.writeHead(307, { location: 'http://other.example/x' }).end();
    });
    await shownBy(listTags(name, { ...at.options, credentials }));
    assert.ok(elsewhere(at).every((authorization) => authorization === undefined));
    const back = at.requests.filter(({ path }) => path === '/v2/end');
    assert.ok(back.every(({ headers }) => headers.authorization === undefined));
  });

  for (const location of [
    'http://127.0.0.1:1/x',
    'http://169.254.169.254/x',
    'ftp://cdn.example/x',
    'http://a:b@cdn.example/x',
  ]) {
    test(`a redirect to ${location} is refused`, async () => {
      await using at = await afterLogin((_request, response) => {
        response.writeHead(307, { location }).end();
      });
      const shown = await shownBy(listTags(name, { ...at.options, credentials }));
      assert.match(shown, /ERR_OCI_REGISTRY_REDIRECT_REFUSED/);
      assert.deepEqual([...at.hosts], ['registry.example']);
    });
  }

  test('an upload location elsewhere gets neither password nor bearer', async () => {
    await using at = await afterLogin(({ host, method }, response) => {
      if (host !== 'registry.example') sendError(response, 401);
      else if (method === 'HEAD') response.writeHead(404).end();
      else response.writeHead(202, { location: 'http://uploads.example/put' }).end();
    });
    const bytes = Buffer.from('x');
    await using client = createRegistryClient('registry.example', { ...at.options, credentials });
    const descriptor = { mediaType: 'text/plain', digest: digestBytes(bytes), size: 1 };
    const open = async function* (): AsyncGenerator<Uint8Array> {
      yield bytes;
    };
    assertSecret(await shownBy(client.uploadBlob('team/app', descriptor, { open })));
    assert.ok(elsewhere(at).every((authorization) => authorization === undefined));
  });

  test('a page link elsewhere gets no password', async () => {
    await using at = await afterLogin(({ host }, response) => {
      const link = '<http://pages.example/v2/team/app/tags/list?last=a>; rel="next"';
      const headers = { 'content-type': 'application/json' };
      response.writeHead(200, host === 'registry.example' ? { ...headers, link } : headers);
      response.end('{"name":"team/app","tags":["a"]}');
    });
    await listTags(name, { ...at.options, credentials }).catch(() => undefined);
    assert.ok(elsewhere(at).every((authorization) => authorization === undefined));
  });
});

const noOpenssl = spawnSync('openssl', ['version']).error === undefined ? false : 'openssl is not installed';

test('attack 25: no plain HTTP token service after an https registry (CVE-2019-10214)', {
  skip: noOpenssl,
}, async () => {
  const seen: string[] = [];
  await using at = await hostileWorld(({ host }, response) => {
    seen.push(host);
    response.end('{"token":"x"}');
  });
  const file = (end: string): string => join(at.directory, end);
  const made = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const output = ['-subj', '/CN=x', '-keyout', file('key.pem'), '-out', file('cert.pem')];
  execFileSync('openssl', ['req', ...made, ...output], { stdio: 'ignore' });
  const [key, cert] = await Promise.all([readFile(file('key.pem')), readFile(file('cert.pem'))]);
  const server = createServer({ key, cert }, (_request, response) => {
    response.writeHead(401, { 'www-authenticate': 'Bearer realm="http://auth.example/token"' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    const options: RegistryOptions = { ...at.options, plainHttp: false, tlsVerify: false, credentials };
    const shown = await shownBy(listTags(`127.0.0.1:${address.port}/team/app`, options));
    assert.match(shown, /ERR_OCI_REGISTRY_REDIRECT_REFUSED/);
    assert.deepEqual(seen, []);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

describe('attack 26: secrets in messages, in the wrong place, or in a list of processes (CVE-2021-41092)', () => {
  test('a registry that sends back what it got', async () => {
    await using at = await afterLogin(({ headers }, response) =>
      sendError(response, 403, `you sent ${headers.authorization} which is ${password}`),
    );
    assertSecret(await shownBy(listTags(name, { ...at.options, credentials })));
  });

  test('a token service that sends back password and token', async () => {
    await using at = await hostileWorld(({ host, headers, path }, response) => {
      if (host === 'auth.example' && path.startsWith('/bad'))
        sendError(response, 401, `${headers.authorization}`);
      else if (host === 'auth.example') response.end('{"token":"t0ken-of-ann"}');
      else if (headers.authorization !== undefined) sendError(response, 403, `bad ${headers.authorization}`);
      else {
        const realm = path.includes('other') ? '/bad' : '/token';
        response.writeHead(401, { 'www-authenticate': `Bearer realm="http://auth.example${realm}"` }).end();
      }
    });
    assertSecret(await shownBy(listTags(name, { ...at.options, credentials })));
    assertSecret(await shownBy(listTags('registry.example/other', { ...at.options, credentials })));
    const identity = { identityToken: 't0ken-of-ann' };
    assertSecret(await shownBy(listTags('registry.example/other', { ...at.options, credentials: identity })));
  });

  test('an address with a signature in it', async () => {
    await using at = await afterLogin(({ host }, response) => {
      if (host === 'cdn.example') sendError(response, 403);
      else response.writeHead(307, { location: 'http://cdn.example/b?X-Amz-Signature=t0ken-of-ann' }).end();
    });
    assertSecret(await shownBy(listTags(name, { ...at.options, credentials })));
  });

  test('credentials of one namespace are not those of another, nor of a host that begins like it', async () => {
    await using at = await hostileWorld(({ headers }, response) => {
      if (headers.authorization === undefined)
        response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
      else response.end('{"name":"x","tags":[]}');
    });
    const authFile = join(at.directory, 'auth.json');
    const auth = basic.slice(6);
    await writeFile(authFile, JSON.stringify({ auths: { 'registry.example/team': { auth } } }));
    const options = { ...at.options, authFile };
    await listTags('registry.example/team/app', options);
    for (const stranger of [
      'registry.example/teams/app',
      'registry.example.evil/team/app',
      'evil.example/team/app',
    ])
      assertSecret(await shownBy(listTags(stranger, options)));
    const told = at.requests.filter(({ headers }) => headers.authorization !== undefined);
    assert.equal(told.length, 1);
  });

  test('a helper is told nothing by its arguments, and what it answers is in no message', async () => {
    await using at = await hostileWorld((_request, response) => {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
    });
    const bin = join(at.directory, 'bin');
    await mkdir(bin);
    const helper = join(bin, 'docker-credential-spy');
    const answer = JSON.stringify({ Username: 'ann', Secret: password });
    await writeFile(
      helper,
      `#!/bin/sh\necho "$0 $@" > "${at.directory}/arguments"\ncat > "${at.directory}/input"\necho '${answer}'\n`,
    );
    await chmod(helper, 0o755);
    await mkdir(join(at.directory, '.docker'));
    await writeFile(join(at.directory, '.docker', 'config.json'), '{"credsStore":"spy"}');
    const env = { ...at.options.env, PATH: `${bin}:/usr/bin:/bin` };
    assertSecret(await shownBy(listTags(name, { ...at.options, env })));
    assert.equal(await readFile(join(at.directory, 'arguments'), 'utf8'), `${helper} get\n`);
    assert.equal(await readFile(join(at.directory, 'input'), 'utf8'), 'registry.example\n');
    await writeFile(helper, `#!/bin/sh\necho '${answer.slice(0, -1)}'\n`);
    assertSecret(await shownBy(listTags('second.example/team/app', { ...at.options, env })));
  });

  test('an answer in another form than asked for is not taken for content', async () => {
    const page = document('<html></html>', 'text/html');
    await using at = await hostileWorld((_request, response) => {
      response.writeHead(200, { 'content-type': page.mediaType }).end(page.bytes);
    });
    await using client = createRegistryClient('registry.example', at.options);
    await assert.rejects(client.getManifest('team/app', '1'), { code: 'ERR_OCI_JSON_INVALID' });
    assert.equal(MediaType.manifest.startsWith('application/'), true);
  });
});
