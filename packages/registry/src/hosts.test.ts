import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Descriptor, OciEvent } from '@ocijs/image';
import {
  type FaultRegistry,
  listen,
  sendError,
  serveImage,
  startFaultRegistry,
} from './fault-registry.testkit.ts';
import { makeImage, type TemporaryStore, temporaryDirectory, temporaryStore } from './images.testkit.ts';
import { listTags, pull, push, type RegistryOptions, resolveRemote } from './index.ts';

interface World extends AsyncDisposable {
  readonly mirror: FaultRegistry;
  readonly origin: FaultRegistry;
  readonly target: TemporaryStore;
  readonly image: Descriptor;
  readonly source: TemporaryStore;
  readonly events: OciEvent[];
  readonly options: RegistryOptions;
}

/** A registry that is known as `registry.test`, and a host that stands for it; `hosts` makes the hosts.toml. */
async function world(
  hosts: (at: { readonly mirror: string; readonly origin: string }) => string,
): Promise<World> {
  const stack = new AsyncDisposableStack();
  const mirror = stack.use(await startFaultRegistry());
  const origin = stack.use(await startFaultRegistry());
  const source = stack.use(await temporaryStore());
  const target = stack.use(await temporaryStore());
  const directory = stack.use(await temporaryDirectory());
  const image = await makeImage(source.store);
  for (const registry of [mirror, origin])
    await serveImage(registry, { store: source.store, top: image, name: 'team/app', tag: '1' });
  const hostsDirectory = join(directory.path, 'hosts');
  await mkdir(join(hostsDirectory, 'registry.test'), { recursive: true });
  const text = hosts({ mirror: `http://${mirror.host}`, origin: `http://${origin.host}` });
  await writeFile(join(hostsDirectory, 'registry.test', 'hosts.toml'), text);
  const events: OciEvent[] = [];
  const onEvent = (event: OciEvent): void => void events.push(event);
  return {
    mirror,
    origin,
    source,
    target,
    image,
    events,
    options: { hostsDirectory, env: { HOME: directory.path }, onEvent, retryDelayMs: 1 },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const name = 'registry.test/team/app:1';

function paths({ requests }: FaultRegistry): readonly string[] {
  return requests.map(({ method, path }) => `${method} ${path}`);
}

describe('hosts.toml', () => {
  test('the server has another address; every operation goes there and says which registry is meant', async () => {
    await using at = await world(({ origin }) => `server = "${origin}"`);
    const pulled = await pull(name, { ...at.options, store: at.target.store });
    assert.equal(pulled.report.mirror, undefined);
    assert.deepEqual(await listTags('registry.test/team/app', at.options), ['1']);
    await push(at.image, 'registry.test/team/copy:1', { ...at.options, store: at.source.store });
    assert.ok(at.origin.manifests.has('team/copy:1'));
    assert.ok(at.origin.requests.every(({ path }) => path.includes('ns=registry.test')));
  });

  test('a host is asked first, and the server when it fails', async () => {
    await using at = await world(
      ({ mirror, origin }) => `server = "${origin}"\n[host."${mirror}"]\ncapabilities = ["pull", "resolve"]`,
    );
    const pulled = await pull(name, { ...at.options, store: at.target.store });
    assert.equal(pulled.report.mirror, `${at.mirror.host}/team/app:1`);
    assert.deepEqual(at.origin.requests, []);
    at.mirror.fault = (_request, response) => {
      sendError(response, 500, 'UNKNOWN');
      return true;
    };
    assert.equal((await resolveRemote(name, at.options)).digest, at.image.digest);
    assert.equal(at.events.filter((event) => event.type === 'warning').length, 1);
    assert.equal(at.origin.requests.length, 1);
  });

  test('a host without resolve is asked for digests only', async () => {
    await using at = await world(
      ({ mirror, origin }) => `server = "${origin}"\n[host."${mirror}"]\ncapabilities = ["pull"]`,
    );
    await pull(name, { ...at.options, store: at.target.store });
    assert.deepEqual(
      paths(at.origin).map((path) => path.replace(/\?.*/, '')),
      ['HEAD /v2/team/app/manifests/1'],
    );
    assert.ok(paths(at.mirror).length > 0);
    assert.ok(paths(at.mirror).every((path) => !path.includes('/manifests/1?')));
  });

  test('content goes to the host that takes it, and nowhere when none does', async () => {
    await using at = await world(
      ({ mirror, origin }) =>
        `server = "${origin}"\ncapabilities = ["pull"]\n[host."${mirror}"]\ncapabilities = ["push"]`,
    );
    await push(at.image, 'registry.test/team/new:1', { ...at.options, store: at.source.store });
    assert.ok(at.mirror.manifests.has('team/new:1'));
    assert.deepEqual(at.origin.requests, []);
    await using none = await world(({ origin }) => `server = "${origin}"\ncapabilities = ["pull"]`);
    await assert.rejects(push(none.image, name, { ...none.options, store: none.source.store }), {
      code: 'ERR_OCI_REGISTRY_BLOCKED',
    });
    await assert.rejects(pull(name, { ...none.options, store: none.target.store }), {
      code: 'ERR_OCI_REGISTRY_BLOCKED',
    });
    assert.deepEqual(none.origin.requests, []);
  });

  test('a path stands before or instead of /v2', async () => {
    await using at = await world(() => '');
    const seen: string[] = [];
    await using server = await listen(
      (request, response) => {
        seen.push(request.url ?? '');
        response.writeHead(200, { 'content-type': 'application/json' }).end('{"name":"a","tags":["t"]}');
      },
      (listener) => createServer(listener),
    );
    const { hostsDirectory } = at.options;
    const file = join(String(hostsDirectory), 'registry.test', 'hosts.toml');
    await writeFile(file, `server = "http://${server.host}/proxy"`);
    assert.deepEqual(await listTags('registry.test/team/app', at.options), ['t']);
    await writeFile(file, `server = "http://${server.host}/api/oci"\noverride_path = true`);
    assert.deepEqual(await listTags('registry.test/team/app', at.options), ['t']);
    assert.match(seen[0] ?? '', /^\/proxy\/v2\/team\/app\/tags\/list\?/);
    assert.match(seen[1] ?? '', /^\/api\/oci\/team\/app\/tags\/list\?/);
  });

  test('headers go to their host alone, not where it redirects to', async () => {
    await using at = await world(({ origin }) => `server = "${origin}"\n[header]\nX-Key = "s3cret-header"\n`);
    at.origin.fault = ({ path }, response) => {
      if (!path.includes('/blobs/')) return false;
      response.writeHead(307, { location: `http://${at.mirror.host}${path}` }).end();
      return true;
    };
    await pull(name, { ...at.options, store: at.target.store });
    assert.ok(at.origin.requests.every(({ headers }) => headers['x-key'] === 's3cret-header'));
    assert.ok(at.mirror.requests.length > 0);
    assert.ok(at.mirror.requests.every(({ headers }) => headers['x-key'] === undefined));
  });

  test('a host that stands for a registry gets neither the credentials of the options nor those of the registry', async () => {
    await using at = await world(({ mirror, origin }) => `server = "${origin}"\n[host."${mirror}"]`);
    const challenge = { 'www-authenticate': 'Basic realm="r"' };
    for (const registry of [at.mirror, at.origin]) {
      registry.fault = ({ headers }, response) => {
        if (headers['authorization'] !== undefined) return false;
        response.writeHead(401, challenge).end();
        return true;
      };
    }
    const credentials = { username: 'ann', password: 's3cret-passw0rd' };
    await pull(name, { ...at.options, credentials, store: at.target.store });
    assert.ok(at.mirror.requests.length > 0);
    assert.ok(at.mirror.requests.every(({ headers }) => headers['authorization'] === undefined));
    assert.ok(at.origin.requests.some(({ headers }) => headers['authorization'] !== undefined));
  });
});
