import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Descriptor, digestBytes, type OciEvent, openArchive } from '@ocijs/image';
import {
  type Fault,
  type FaultRegistry,
  sendError,
  serveImage,
  startFaultRegistry,
} from '../fault-registry.testkit.ts';
import { makeImage, type TemporaryStore, temporaryDirectory, temporaryStore } from '../images.testkit.ts';
import { type CopyOptions, copy } from './copy.ts';
import type { CopyDestinationLocation, CopySourceLocation } from './location.ts';

interface World extends AsyncDisposable {
  readonly mirror: FaultRegistry;
  readonly origin: FaultRegistry;
  readonly target: FaultRegistry;
  readonly store: TemporaryStore;
  readonly image: Descriptor;
  readonly source: CopySourceLocation;
  readonly directory: string;
  readonly events: OciEvent[];
  readonly options: CopyOptions;
}

/** A registry with a mirror, and an image with a layer of half a megabyte. */
async function world(): Promise<World> {
  const stack = new AsyncDisposableStack();
  const [mirror, origin, target] = [
    stack.use(await startFaultRegistry()),
    stack.use(await startFaultRegistry()),
    stack.use(await startFaultRegistry()),
  ];
  const made = stack.use(await temporaryStore());
  const directory = stack.use(await temporaryDirectory());
  const image = await makeImage(made.store, { layers: [500_000, 2_000] });
  for (const registry of [mirror, origin])
    await serveImage(registry, { store: made.store, top: image, name: 'team/app', tag: '1' });
  const registriesConf = join(directory.path, 'registries.conf');
  const mirrors = `[[registry.mirror]]\nlocation = "${mirror.host}/team"\n`;
  await writeFile(registriesConf, `[[registry]]\nlocation = "${origin.host}/team"\n${mirrors}`);
  const events: OciEvent[] = [];
  return {
    mirror,
    origin,
    target,
    image,
    events,
    store: stack.use(await temporaryStore()),
    directory: directory.path,
    source: { transport: 'registry', reference: `${origin.host}/team/app:1` },
    options: {
      registriesConf,
      env: { HOME: directory.path },
      onEvent: (event) => void events.push(event),
      retryDelayMs: 1,
      retry: 1,
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const transports = ['store', 'oci', 'dir', 'oci-archive', 'registry'] as const;

function destinationOf(at: World, transport: (typeof transports)[number]): CopyDestinationLocation {
  switch (transport) {
    case 'store':
      return { transport, store: at.store.store, name: 'copied' };
    case 'oci':
    case 'dir':
      return { transport, directory: join(at.directory, transport) };
    case 'oci-archive':
      return { transport, file: join(at.directory, 'oci.tar'), name: 'x' };
    case 'registry':
      return { transport, reference: `${at.target.host}/copied:1` };
  }
}

function failedMirrors({ events }: World): number {
  return events.filter((event) => event.type === 'warning' && event.code === 'MIRROR_FAILED').length;
}

/** Answers the large layer with something else. */
function onLayer(
  registry: FaultRegistry,
  answer: (response: ServerResponse, bytes: Uint8Array) => void,
): void {
  registry.fault = ({ path, method }, response) => {
    const bytes = registry.blobs.get(path.slice(path.lastIndexOf('/') + 1));
    if (method !== 'GET' || bytes === undefined || bytes.length < 400_000) return false;
    response.writeHead(200, { 'content-length': bytes.length });
    answer(response, bytes);
    return true;
  };
}

function breakOff(response: ServerResponse, bytes: Uint8Array): void {
  response.write(bytes, () => response.destroy());
}

describe('copying from a registry with a mirror', () => {
  test('asks the mirror alone while it works, and says so', async () => {
    await using at = await world();
    for (const transport of transports) {
      const destination = destinationOf(at, transport);
      const report = await copy(at.source, destination, at.options);
      assert.equal(report.digest, at.image.digest);
      assert.equal(report.mirror, `${at.mirror.host}/team/app:1`);
    }
    assert.deepEqual(at.origin.requests, []);
  });

  const faults: Readonly<Record<string, Fault>> = {
    'does not answer': (_request, response) => {
      sendError(response, 503, 'UNKNOWN');
      return true;
    },
    'has manifests alone': ({ path }, response) => {
      if (!path.includes('/blobs/')) return false;
      sendError(response, 404, 'BLOB_UNKNOWN');
      return true;
    },
  };
  for (const [name, fault] of Object.entries(faults)) {
    test(`takes the registry when the mirror ${name}`, async () => {
      for (const transport of transports) {
        await using at = await world();
        at.mirror.fault = fault;
        const report = await copy(at.source, destinationOf(at, transport), at.options);
        assert.equal(report.digest, at.image.digest, transport);
        assert.equal(report.mirror, undefined);
        assert.equal(failedMirrors(at), 1, transport);
      }
    });
  }

  test('goes on where the mirror broke off', async () => {
    await using at = await world();
    onLayer(at.mirror, (response, bytes) => breakOff(response, bytes.subarray(0, 100_000)));
    for (const transport of transports) {
      const report = await copy(at.source, destinationOf(at, transport), at.options);
      assert.equal(report.digest, at.image.digest, transport);
    }
    await using archive = await openArchive(join(at.directory, 'oci.tar'), { format: 'oci' });
    const { manifest } = await archive.image(at.image);
    for (const layer of manifest.layers)
      assert.equal(digestBytes(await archive.readAll(layer, { limit: 1_000_000 })), layer.digest);
  });

  const wrong: Readonly<Record<string, Parameters<typeof onLayer>[1]>> = {
    'a wrong part': (response) => breakOff(response, Buffer.alloc(100_000, 7)),
    'wrong bytes': (response, bytes) => response.end(Buffer.alloc(bytes.length, 7)),
  };
  for (const [name, answer] of Object.entries(wrong)) {
    test(`after ${name} everything is read once more, or the copy fails`, async () => {
      await using at = await world();
      onLayer(at.mirror, answer);
      for (const transport of transports) {
        const copying = copy(at.source, destinationOf(at, transport), at.options);
        // What is in an archive cannot be taken back.
        if (transport === 'oci-archive') await assert.rejects(copying, { code: 'ERR_OCI_DIGEST_MISMATCH' });
        else assert.equal((await copying).digest, at.image.digest, transport);
      }
      const copied = await at.store.store.image('docker.io/library/copied:latest');
      for (const layer of copied.manifest.layers) await at.store.store.readAll(layer, { limit: 1_000_000 });
    });
  }

  test('a blocked registry is not asked, and its mirror neither', async () => {
    await using at = await world();
    const conf = `[[registry]]\nlocation = "${at.origin.host}/team"\nblocked = true\n`;
    await writeFile(String(at.options.registriesConf), conf);
    for (const transport of transports) {
      const copying = copy(at.source, destinationOf(at, transport), at.options);
      await assert.rejects(copying, { code: 'ERR_OCI_REGISTRY_BLOCKED' });
    }
    assert.equal(at.origin.requests.length + at.mirror.requests.length, 0);
  });
});
