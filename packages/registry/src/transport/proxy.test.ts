import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { createRegistryClient } from '../client.ts';
import { listen } from '../fault-registry.testkit.ts';

test('a proxy of the environment is used, except for this machine and for no_proxy', async () => {
  const asked: string[] = [];
  await using proxy = await listen((request, response) => {
    asked.push(request.url ?? '');
    response.end('{}');
  });
  await using registry = await listen((_request, response) => response.end('{}'));
  const ping = async (host: string, env: Readonly<Record<string, string>>): Promise<void> => {
    await using client = createRegistryClient(host, {
      env: { HOME: '/nonexistent', ...env },
      plainHttp: true,
      retry: 0,
    });
    await client.ping();
  };
  const env = { http_proxy: `http://${proxy.host}` };
  await ping('registry.invalid:5000', env);
  assert.deepEqual(asked, ['http://registry.invalid:5000/v2/']);
  await ping(registry.host, env);
  await assert.rejects(ping('registry.invalid:5000', { ...env, no_proxy: '.invalid' }));
  assert.equal(asked.length, 1);
});

test('TLS goes through a tunnel', async () => {
  const tunnels: string[] = [];
  await using target = await listen((_request, response) => response.end('{}'));
  await using proxy = await listen(
    (_request, response) => response.end(),
    (listener) => {
      const server = createServer(listener);
      server.on('connect', (request, socket: Socket) => {
        tunnels.push(request.url ?? '');
        const port = Number(target.host.split(':')[1]);
        const upstream = connect(port, '127.0.0.1', () => {
          socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
          socket.pipe(upstream).pipe(socket);
        });
        upstream.on('error', () => socket.destroy());
        socket.on('error', () => upstream.destroy());
        void once(socket, 'close').then(() => upstream.destroy());
      });
      return server;
    },
  );
  const env = { HOME: '/nonexistent', HTTPS_PROXY: `http://${proxy.host}` };
  await using client = createRegistryClient('registry.invalid:5000', { env, retry: 0 });
  // The target behind the tunnel does not speak TLS: that it is told so proves that TLS was tried there.
  await assert.rejects(client.ping(), { code: 'ERR_OCI_REGISTRY_UNAVAILABLE' });
  assert.deepEqual(tunnels, ['registry.invalid:5000']);
});
