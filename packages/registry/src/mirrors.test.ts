import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Descriptor, OciEvent } from '@ocijs/image';
import { registryOrigin } from './endpoints.ts';
import { type FaultRegistry, sendError, serveImage, startFaultRegistry } from './fault-registry.testkit.ts';
import { makeImage, type TemporaryStore, temporaryDirectory, temporaryStore } from './images.testkit.ts';
import {
  createRegistryClient,
  listTags,
  pull,
  push,
  type RegistryOptions,
  remoteImage,
  resolveRemote,
} from './index.ts';

const secret = { username: 'ann', password: 's3cret-passw0rd' };
const basic = `Basic ${Buffer.from('ann:s3cret-passw0rd').toString('base64')}`;

interface World extends AsyncDisposable {
  readonly mirror: FaultRegistry;
  readonly origin: FaultRegistry;
  readonly target: TemporaryStore;
  readonly source: TemporaryStore;
  readonly image: Descriptor;
  readonly name: string;
  readonly home: string;
  readonly events: OciEvent[];
  readonly options: RegistryOptions;
}

/** A registry and a mirror of it, both with the same image, and a configuration that says so. */
async function world(extra = ''): Promise<World> {
  const stack = new AsyncDisposableStack();
  const mirror = stack.use(await startFaultRegistry());
  const origin = stack.use(await startFaultRegistry());
  const source = stack.use(await temporaryStore());
  const target = stack.use(await temporaryStore());
  const directory = stack.use(await temporaryDirectory());
  const image = await makeImage(source.store);
  const { store } = source;
  await serveImage(mirror, { store, top: image, name: 'cache/app', tag: '1' });
  await serveImage(origin, { store, top: image, name: 'team/app', tag: '1' });
  const registriesConf = join(directory.path, 'registries.conf');
  const text = `[[registry]]\nlocation = "${origin.host}/team"\n${extra}\n[[registry.mirror]]\nlocation = "${mirror.host}/cache"\n`;
  await writeFile(registriesConf, text);
  const events: OciEvent[] = [];
  const onEvent = (event: OciEvent): void => void events.push(event);
  const env = { HOME: directory.path };
  return {
    mirror,
    origin,
    source,
    target,
    image,
    events,
    home: directory.path,
    name: `${origin.host}/team/app:1`,
    options: { registriesConf, env, onEvent, retryDelayMs: 1 },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

function warnings({ events }: World): string[] {
  return events.flatMap((event) => (event.type === 'warning' ? [event.code] : []));
}

describe('a mirror', () => {
  test('gives everything, under the name that was asked for, and the registry is not asked', async () => {
    await using at = await world();
    const { store } = at.target;
    const pulled = await pull(at.name, { ...at.options, store });
    assert.equal(pulled.report.reference, at.name);
    assert.equal(pulled.report.mirror, `${at.mirror.host}/cache/app:1`);
    assert.equal((await store.resolve(at.name))?.digest, at.image.digest);
    assert.equal((await resolveRemote(at.name, at.options)).digest, at.image.digest);
    await using remote = await remoteImage(at.name, at.options);
    assert.equal(remote.name, at.name);
    assert.deepEqual(at.origin.requests, []);
  });

  const faults: Readonly<Record<string, FaultRegistry['fault']>> = {
    'has not got it': (_request, response) => {
      sendError(response, 404, 'MANIFEST_UNKNOWN');
      return true;
    },
    fails: (_request, response) => {
      sendError(response, 500, 'UNKNOWN');
      return true;
    },
    'asks for credentials': (_request, response) => {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      return true;
    },
    'hangs up': (_request, response) => {
      response.destroy();
      return true;
    },
    'sends other content': ({ path, method }, response) => {
      if (method !== 'GET' || !path.includes('/blobs/')) return false;
      response.end(Buffer.alloc(10));
      return true;
    },
  };
  for (const [what, fault] of Object.entries(faults)) {
    test(`that ${what} is passed over`, async () => {
      await using at = await world();
      at.mirror.fault = fault;
      const pulled = await pull(at.name, { ...at.options, store: at.target.store });
      assert.equal(pulled.report.mirror, undefined);
      assert.equal(pulled.report.digest, at.image.digest);
      assert.ok(warnings(at).includes('MIRROR_FAILED'));
    });
  }

  test('with another image under a pinned digest changes nothing', async () => {
    await using at = await world();
    const other = await makeImage(at.source.store, { seed: 9 });
    const bytes = await at.source.store.readAll(other);
    for (const key of at.mirror.manifests.keys()) {
      at.mirror.manifests.set(key, { bytes, mediaType: other.mediaType });
    }
    const { store } = at.target;
    const pinned = `${at.name}@${at.image.digest}`;
    assert.equal((await pull(pinned, { ...at.options, store })).report.digest, at.image.digest);
    assert.equal(
      (await pull(`${at.origin.host}/team/app@${at.image.digest}`, { ...at.options, store })).report.digest,
      at.image.digest,
    );
    assert.equal(await store.size(other.digest), undefined);
  });

  test('that breaks in the middle is continued where it broke', async () => {
    await using at = await world();
    const large = at.mirror.blobs.entries().reduce((a, b) => (a[1].length > b[1].length ? a : b));
    const [digest, bytes] = large;
    at.mirror.fault = ({ path, method }, response) => {
      if (method !== 'GET' || !path.endsWith(digest)) return false;
      response.writeHead(200, { 'content-length': bytes.length });
      response.write(bytes.subarray(0, bytes.length / 2), () => setTimeout(() => response.destroy(), 20));
      return true;
    };
    await pull(at.name, { ...at.options, store: at.target.store, retry: 0 });
    const continued = at.origin.requests.find(({ path }) => path.endsWith(digest));
    assert.match(String(continued?.headers['range']), /^bytes=[1-9]\d+-$/);
  });

  test('that is missing together with the registry leaves the registry’s error', async () => {
    await using at = await world();
    for (const registry of [at.mirror, at.origin]) registry.manifests.clear();
    await assert.rejects(pull(at.name, { ...at.options, store: at.target.store }), (error: Error) => {
      assert.match(error.message, /team\/app:1/);
      return true;
    });
  });

  test('gets no credentials of the registry, but its own', async () => {
    await using at = await world();
    const challenge: FaultRegistry['fault'] = ({ headers }, response) => {
      if (headers['authorization'] !== undefined) return false;
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      return true;
    };
    at.mirror.fault = challenge;
    at.origin.fault = challenge;
    const options = { ...at.options, store: at.target.store, credentials: secret };
    await pull(at.name, options);
    const seen = (registry: FaultRegistry): unknown[] =>
      registry.requests.map(({ headers }) => headers['authorization']);
    assert.ok(seen(at.mirror).every((value) => value === undefined));
    assert.ok(seen(at.origin).includes(basic));
    assert.doesNotMatch(JSON.stringify(at.events), /s3cret/);

    await mkdir(join(at.home, '.docker'));
    const auth = Buffer.from('mirror:own').toString('base64');
    await writeFile(
      join(at.home, '.docker/config.json'),
      JSON.stringify({ auths: { [at.mirror.host]: { auth } } }),
    );
    await pull(at.name, options);
    assert.equal(seen(at.mirror).at(-1), `Basic ${auth}`);
  });

  test('is for pulls only', async () => {
    await using at = await world();
    await push(at.image, `${at.origin.host}/team/new:1`, { ...at.options, store: at.source.store });
    assert.deepEqual(await listTags(`${at.origin.host}/team/app`, at.options), ['1']);
    assert.deepEqual(at.mirror.requests, []);
  });
});

test('a moved registry is pulled from its new place', async () => {
  await using at = await world();
  const registriesConf = join(at.home, 'moved.conf');
  await writeFile(
    registriesConf,
    `[[registry]]\nprefix = "*.example.invalid"\nlocation = "${at.origin.host}/team"\n`,
  );
  const name = 'old.example.invalid/app:1';
  const { report } = await pull(name, { ...at.options, registriesConf, store: at.target.store });
  assert.deepEqual([report.reference, report.mirror], [name, undefined]);
});

test('what is blocked is asked for nothing', async () => {
  await using at = await world('blocked = true');
  const { store } = at.target;
  const blocked = { code: 'ERR_OCI_REGISTRY_BLOCKED' };
  await assert.rejects(pull(at.name, { ...at.options, store }), blocked);
  await assert.rejects(push(at.image, at.name, { ...at.options, store: at.source.store }), blocked);
  await assert.rejects(listTags(at.name, at.options), blocked);
  assert.deepEqual([at.origin.requests, at.mirror.requests], [[], []]);
  await using client = createRegistryClient(at.origin.host, at.options);
  await client.ping();
});

test('only an insecure registry may speak plain HTTP elsewhere', async () => {
  const ask = async (host: string, insecure: boolean): Promise<string> =>
    (await registryOrigin(host, { plainHttp: false, insecure })).protocol;
  assert.equal(await ask('registry.invalid:1', false), 'https:');
  assert.equal(await ask('registry.invalid:1', true), 'http:');
});
