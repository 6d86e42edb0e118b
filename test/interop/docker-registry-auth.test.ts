import assert from 'node:assert/strict';
import { createSign, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { openStore } from '@ocijs/image';
import { output } from '../kit/command.ts';
import { dockerRegistry } from '../kit/docker-registry.ts';
import { busyboxImage } from '../kit/images.ts';
import { type OciHome, oci, ociHome } from '../kit/oci.ts';
import { missing } from '../kit/requirements.ts';
import { temporaryDirectory } from '../kit/temporary.ts';

const user = { name: 'alice', password: 'correct horse' };

describe('docker-registry with authentication', { timeout: 120_000 }, () => {
  const commands = ['docker-registry', 'busybox'];

  test('basic', { skip: missing({ commands: [...commands, 'htpasswd'] }) }, async () => {
    await using temporary = await temporaryDirectory();
    const path = `${temporary.path}/htpasswd`;
    await output('htpasswd', ['-bBc', path, user.name, user.password]);
    await using registry = await dockerRegistry(temporary.path, { htpasswd: { realm: 'test', path } });
    await pushAndPull(ociHome(temporary.path), registry.host);
  });

  test('bearer, with signed tokens from a token server', {
    skip: missing({ commands: [...commands, 'openssl'] }),
  }, async () => {
    await using temporary = await temporaryDirectory();
    const key = `${temporary.path}/key.pem`;
    const rootcertbundle = `${temporary.path}/certificate.pem`;
    const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=tokens'];
    await output('openssl', [...request, '-keyout', key, '-out', rootcertbundle]);
    const tokens = await tokenServer(await readFile(key, 'utf8'), await readFile(rootcertbundle, 'utf8'));
    try {
      const realm = `http://127.0.0.1:${(tokens.address() as AddressInfo).port}/token`;
      const settings = { realm, service: 'registry', issuer: 'tokens', rootcertbundle };
      await using registry = await dockerRegistry(temporary.path, { token: settings });
      await pushAndPull(ociHome(temporary.path), registry.host);
    } finally {
      tokens.closeAllConnections();
      tokens.close();
    }
  });
});

/** Without, with wrong and with right credentials. */
async function pushAndPull(home: OciHome, host: string): Promise<void> {
  const name = `${host}/team/busybox:latest`;
  await using store = await openStore(home.store);
  await busyboxImage(store, name);
  const withoutFiles = { env: { DOCKER_CONFIG: home.root, XDG_RUNTIME_DIR: home.root, HOME: home.root } };
  const anonymous = await oci(home, ['push', '--json', name], withoutFiles);
  assert.equal(anonymous.status, 1);
  assert.match(JSON.parse(anonymous.stdout).error.code, /^ERR_OCI_REGISTRY_(UNAUTHORIZED|DENIED)$/);
  const wrong = await oci(home, ['push', '--creds', `${user.name}:guess`, name], withoutFiles);
  assert.equal(wrong.status, 1);
  assert.doesNotMatch(wrong.stderr, /guess/, 'no secret in a message');
  const credentials = ['--creds', `${user.name}:${user.password}`];
  const pushed = await oci(home, ['push', ...credentials, name], withoutFiles);
  assert.equal(pushed.status, 0, pushed.stderr);
  const elsewhere = { ...home, store: `${home.store}-2` };
  const pulled = await oci(elsewhere, ['pull', ...credentials, name], withoutFiles);
  assert.equal(pulled.status, 0, pulled.stderr);
}

/** Gives alice what she asks for, as docker-registry's token specification says, and others nothing. */
async function tokenServer(key: string, certificate: string): Promise<Server> {
  const x5c = [certificate.replace(/-----[A-Z ]+-----|\s/g, '')];
  const expected = `Basic ${Buffer.from(`${user.name}:${user.password}`).toString('base64')}`;
  const server = createServer(({ url = '', headers }, response) => {
    if (headers.authorization !== expected) return void response.writeHead(401).end('{}');
    const access = new URL(url, 'http://127.0.0.1').searchParams.getAll('scope').map((scope) => {
      const [type, name, actions = ''] = scope.split(':');
      return { type, name, actions: actions.split(',') };
    });
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: 'tokens',
      sub: user.name,
      aud: 'registry',
      iat: now,
      nbf: now - 5,
      exp: now + 60,
      jti: randomUUID(),
      access,
    };
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = `${encode({ alg: 'RS256', typ: 'JWT', x5c })}.${encode(claims)}`;
    const signature = createSign('RSA-SHA256').update(signed).sign(key, 'base64url');
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ token: `${signed}.${signature}`, expires_in: 60 }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
