import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'node:test';
import { testHome } from './testing/oci.testkit.ts';

// The bundled program has a part of undici only: that the part suffices shows in what goes through a proxy.

test('requests go through a proxy, and TLS through a tunnel', async () => {
  const asked: string[] = [];
  const proxy = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.setHeader('content-type', 'application/json').end('{"name":"team/app","tags":["v1"]}');
  });
  proxy.on('connect', (request, socket: Socket) => {
    asked.push(`CONNECT ${request.url}`);
    socket.on('error', () => undefined);
    socket.end('HTTP/1.1 200 Connection established\r\n\r\nno TLS');
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  try {
    await using home = await testHome({ env: { HTTP_PROXY: url, HTTPS_PROXY: url } });
    const plain = await home.oci('tags', '--plain-http', 'registry.invalid:5000/team/app');
    assert.deepEqual([plain.stdout, plain.status], ['v1\n', 0], plain.stderr);
    assert.match(asked.at(-1) ?? '', /^GET http:\/\/registry\.invalid:5000\/v2\/team\/app\/tags\/list/);
    const tunnelled = await home.oci('tags', '--retry', '0', 'registry.invalid/team/app');
    assert.match(tunnelled.stderr, /^error: cannot reach registry\.invalid: /);
    assert.doesNotMatch(tunnelled.stderr, /is not a function/);
    assert.equal(asked.at(-1), 'CONNECT registry.invalid:443');
  } finally {
    proxy.closeAllConnections();
    proxy.close();
  }
});
