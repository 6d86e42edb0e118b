import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { isOciError } from '@ocijs/image';
import { createRegistryClient } from '../client.ts';
import { listen, type TestServer } from '../fault-registry.testkit.ts';
import { temporaryDirectory } from '../images.testkit.ts';
import type { RegistryOptions } from '../options.ts';

const skip = spawnSync('openssl', ['version']).error === undefined ? false : 'openssl is not installed';

interface Certificates extends AsyncDisposable {
  readonly path: string;
}

/** An authority, a certificate for 127.0.0.1 and one for a client. */
async function certificates(): Promise<Certificates> {
  const directory = await temporaryDirectory();
  const { path } = directory;
  const openssl = (...options: readonly string[]): void => {
    execFileSync('openssl', options, { cwd: path, stdio: 'ignore' });
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  openssl('req', '-x509', ...key, '-subj', '/CN=Test Authority', '-keyout', 'ca.key', '-out', 'ca.pem');
  const issued = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-addext', 'basicConstraints=critical,CA:FALSE'];
  for (const name of ['server', 'client']) {
    const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
    openssl('req', '-x509', ...key, ...subject, ...issued, '-keyout', `${name}.key`, '-out', `${name}.pem`);
  }
  return { path, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() };
}

/** Answers /v2/ with 200, or with 403 when a client certificate is needed and missing. */
async function registry({ path }: Certificates, { mutual = false } = {}): Promise<TestServer> {
  const [cert, key, ca] = await Promise.all(
    ['server.pem', 'server.key', 'ca.pem'].map((name) => readFile(join(path, name))),
  );
  const settings = { ...(cert && { cert }), ...(key && { key }), ...(ca && { ca }) };
  return listen(
    (request, response) => {
      const socket = request.socket as TLSSocket;
      response.writeHead(mutual && !socket.authorized ? 403 : 200).end('{}');
    },
    (listener) => createServer({ ...settings, requestCert: mutual, rejectUnauthorized: false }, listener),
  );
}

async function ping(host: string, options: RegistryOptions): Promise<void> {
  await using client = createRegistryClient(host, { env: { HOME: '/nonexistent' }, retry: 0, ...options });
  await client.ping();
}

describe('TLS', { skip }, () => {
  test('an unknown authority is refused, also on loopback, with a hint', async () => {
    await using files = await certificates();
    await using server = await registry(files);
    await assert.rejects(ping(server.host, {}), (error) => {
      assert.ok(isOciError(error, 'ERR_OCI_REGISTRY_UNAVAILABLE'));
      assert.match(error.hint ?? '', /--ca FILE/);
      return true;
    });
  });

  test('is accepted when registries.conf calls the registry insecure, unless told to verify', async () => {
    await using files = await certificates();
    await using server = await registry(files);
    const registriesConf = join(files.path, 'registries.conf');
    await writeFile(registriesConf, `[[registry]]\nlocation = "${server.host}"\ninsecure = true\n`);
    await ping(server.host, { registriesConf });
    await assert.rejects(ping(server.host, { registriesConf, tlsVerify: true }), {
      code: 'ERR_OCI_REGISTRY_UNAVAILABLE',
    });
  });

  test('is trusted with its CA file, from certs.d, or without verification', async () => {
    await using files = await certificates();
    await using server = await registry(files);
    await ping(server.host, { caFile: join(files.path, 'ca.pem') });
    await ping(server.host, { tlsVerify: false });
    const own = join(files.path, 'certs.d', server.host);
    await mkdir(own, { recursive: true });
    await cp(join(files.path, 'ca.pem'), join(own, 'ca.crt'));
    await ping(server.host, { certificateDirectory: join(files.path, 'certs.d') });
    await ping(server.host, { certificateDirectory: own });
    const config = join(files.path, 'config');
    await cp(join(files.path, 'certs.d'), join(config, 'containers', 'certs.d'), { recursive: true });
    await ping(server.host, { env: { XDG_CONFIG_HOME: config } });
  });

  test('a client certificate is shown', async () => {
    await using files = await certificates();
    await using server = await registry(files, { mutual: true });
    const caFile = join(files.path, 'ca.pem');
    await assert.rejects(ping(server.host, { caFile }), { code: 'ERR_OCI_REGISTRY_DENIED' });
    const directory = join(files.path, 'mine');
    await mkdir(directory);
    await cp(join(files.path, 'client.pem'), join(directory, 'client.cert'));
    await assert.rejects(ping(server.host, { caFile, certificateDirectory: directory }), {
      code: 'ERR_OCI_REGISTRY_CERTIFICATE_INVALID',
    });
    await cp(join(files.path, 'client.key'), join(directory, 'client.key'));
    await ping(server.host, { caFile, certificateDirectory: directory });
  });

  test('a CA file that is missing or no certificate is named', async () => {
    await using files = await certificates();
    await using server = await registry(files);
    for (const caFile of [join(files.path, 'absent.pem'), import.meta.dirname, process.execPath]) {
      await assert.rejects(ping(server.host, { caFile }), (error) => {
        assert.ok(isOciError(error, 'ERR_OCI_REGISTRY_CERTIFICATE_INVALID'));
        assert.equal(error.facts.path, caFile);
        return true;
      });
    }
  });

  test('plain HTTP to a TLS port is explained', async () => {
    await using files = await certificates();
    await using server = await registry(files);
    await assert.rejects(ping(server.host, { plainHttp: true }), (error) => isOciError(error));
  });
});

describe('plain HTTP', () => {
  test('is found out for loopback names, and only there', async () => {
    await using server = await listen((_request, response) => response.end('{}'));
    const port = server.host.split(':')[1];
    await ping(server.host, {});
    await ping(`localhost:${port}`, {});
    await ping(`registry.localhost:${port}`, {});
    await ping(server.host, { plainHttp: true });
  });

  test('a refused connection names the host', async () => {
    await assert.rejects(ping('127.0.0.1:1', {}), (error) => {
      assert.ok(isOciError(error, 'ERR_OCI_REGISTRY_UNAVAILABLE'));
      assert.match(error.message, /127\.0\.0\.1:1: connection refused/);
      return true;
    });
  });

  test('a name that does not exist is not asked twice', async () => {
    await assert.rejects(ping('registry.invalid', { retry: 5 }), { code: 'ERR_OCI_REGISTRY_UNAVAILABLE' });
  });
});

for (const name of ['', 'a b', 'https://a.org', 'a.org/x', 'u@a.org', 'a.org:99999999', 'a..org:x', '[::1']) {
  test(`${JSON.stringify(name)} is no registry`, () => {
    assert.throws(() => createRegistryClient(name), { code: 'ERR_OCI_REFERENCE_INVALID' });
  });
}
