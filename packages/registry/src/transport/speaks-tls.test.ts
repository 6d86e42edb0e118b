import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { missingDockerRegistry, startDockerRegistry } from '../docker-registry.testkit.ts';
import { temporaryDirectory } from '../images.testkit.ts';
import { speaksTls } from './speaks-tls.ts';

/** Asks a server on a free port of this machine, and ends it. */
async function ask(server: Server, name = '127.0.0.1'): Promise<boolean> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await speaksTls(`${name}:${(server.address() as AddressInfo).port}`);
  } finally {
    server.close();
  }
}

const skip = spawnSync('openssl', ['version']).error === undefined ? false : 'openssl is not installed';

describe('servers that speak TLS', { skip }, () => {
  const kinds: readonly (readonly [string, readonly string[], TlsOptions])[] = [
    ['TLS 1.2 alone', ['rsa:2048'], { maxVersion: 'TLSv1.2' }],
    ['TLS 1.3 alone', ['rsa:2048'], { minVersion: 'TLSv1.3' }],
    ['an elliptic key', ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'], {}],
    ['a client certificate needed', ['rsa:2048'], { requestCert: true, rejectUnauthorized: true }],
    ['a cipher that few have', ['rsa:2048'], { ciphers: 'AES256-SHA256', maxVersion: 'TLSv1.2' }],
  ];
  for (const [name, key, options] of kinds) {
    test(name, async () => {
      await using directory = await temporaryDirectory();
      const files = ['-keyout', 'key.pem', '-out', 'cert.pem'];
      execFileSync(
        'openssl',
        ['req', '-x509', '-newkey', ...key, '-nodes', '-days', '2', '-subj', '/CN=test', ...files],
        { cwd: directory.path, stdio: 'ignore' },
      );
      const [privateKey, cert] = await Promise.all(
        ['key.pem', 'cert.pem'].map((file) => readFile(join(directory.path, file), 'utf8')),
      );
      assert.ok(privateKey !== undefined && cert !== undefined);
      const make = (): Server => createTlsServer({ ...options, key: privateKey, cert });
      assert.equal(await ask(make()), true);
      assert.equal(await ask(make(), 'localhost'), true);
    });
  }
});

describe('servers that do not', () => {
  test('HTTP', async () => {
    assert.equal(await ask(createHttpServer()), false);
  });

  test('what closes at once, or answers something else', async () => {
    assert.equal(await ask(createServer((socket) => socket.destroy())), false);
    assert.equal(await ask(createServer((socket) => socket.end('220 mail\r\n'))), false);
  });

  test('what says nothing', async () => {
    assert.equal(await ask(createServer()), false);
  });

  test('what is not there', async () => {
    assert.equal(await speaksTls('127.0.0.1:1'), false);
  });

  test('docker-registry', { skip: missingDockerRegistry }, async () => {
    await using registry = await startDockerRegistry();
    assert.equal(await speaksTls(registry.host), false);
  });
});
