import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  type Descriptor,
  encodeJson,
  formatReference,
  type ImageStore,
  MediaType,
  type OciEvent,
  openArchive,
  openLayout,
  parseIndex,
  parseManifest,
} from '@ocijs/image';
import { sendError, serveImage, startFaultRegistry } from '../fault-registry.testkit.ts';
import { makeImage, makeIndex, temporaryDirectory, temporaryStore } from '../images.testkit.ts';
import { listReferrers } from '../list-referrers.ts';
import { startRegistry } from '../server/index.ts';
import { type CopyOptions, copy } from './copy.ts';
import type { CopyDestinationLocation, CopySourceLocation } from './location.ts';

const quiet: CopyOptions = { env: { HOME: '/nonexistent' }, retryDelayMs: 1 };
const amd64 = { os: 'linux', architecture: 'amd64' };
const arm64 = { os: 'linux', architecture: 'arm64' };

/** Puts an artifact about something into a store. */
async function attach(store: ImageStore, subject: Descriptor, type: string): Promise<Descriptor> {
  const { mediaType, digest, size } = subject;
  const layer = await store.put(Buffer.from(`${type} of ${digest}`), { mediaType: 'text/plain' });
  const config = await store.put(Buffer.from('{}'), { mediaType: 'application/vnd.oci.empty.v1+json' });
  const manifest = {
    schemaVersion: 2,
    mediaType: MediaType.manifest,
    artifactType: type,
    config,
    layers: [layer],
    subject: { mediaType, digest, size },
    annotations: { about: type },
  };
  return store.put(encodeJson(manifest), { mediaType: MediaType.manifest });
}

interface World extends AsyncDisposable {
  readonly store: ImageStore;
  readonly directory: string;
  readonly host: string;
  readonly index: Descriptor;
  readonly images: readonly [Descriptor, Descriptor];
  /** Of the index, of the second image, of the first of these, and by a tag. */
  readonly attached: readonly [Descriptor, Descriptor, Descriptor, Descriptor];
  readonly source: CopySourceLocation;
}

async function world(): Promise<World> {
  const stack = new AsyncDisposableStack();
  const { store } = stack.use(await temporaryStore());
  const directory = stack.use(await temporaryDirectory());
  const registry = stack.use(await startRegistry({ directory: join(directory.path, 'served') }));
  const images = [
    await makeImage(store, { seed: 1 }),
    await makeImage(store, { seed: 2, platform: arm64 }),
  ] as const;
  const index = await makeIndex(store, [
    { descriptor: images[0], platform: amd64 },
    { descriptor: images[1], platform: arm64 },
  ]);
  const sbom = await attach(store, index, 'application/spdx');
  const signed = await attach(store, sbom, 'application/signature');
  const scan = await attach(store, images[1], 'application/scan');
  const byTag = await makeImage(store, { seed: 3, layers: [10] });
  const name = 'r.example/team/app:1';
  await store.tag(name, index);
  const tag = `sha256-${images[0].digest.slice(7)}.sig`;
  await store.tag(formatReference({ registry: 'r.example', repository: 'team/app', tag }), byTag);
  return {
    store,
    directory: directory.path,
    host: registry.host,
    index,
    images,
    attached: [sbom, scan, signed, byTag],
    source: { transport: 'store', store, name },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const all: CopyOptions = { ...quiet, allPlatforms: true, referrers: true };

describe('copying with referrers', () => {
  test('goes from a store through every place that can hold them and back, nothing lost', async () => {
    await using at = await world();
    await using other = await temporaryStore();
    const path = (name: string): string => join(at.directory, name);
    const places: readonly (CopyDestinationLocation & CopySourceLocation)[] = [
      { transport: 'registry', reference: `${at.host}/a:1` },
      { transport: 'oci', directory: path('layout'), name: '1' },
      { transport: 'oci-archive', file: path('archive.tar'), name: '1' },
      { transport: 'store', store: other.store, name: 'mine:1' },
      { transport: 'registry', reference: `${at.host}/b:1` },
    ];
    let from: CopySourceLocation = at.source;
    for (const place of places) {
      const report = await copy(from, place, all);
      assert.equal(report.digest, at.index.digest);
      assert.deepEqual(
        (report.referrers ?? []).map(({ digest }) => digest).sort(),
        at.attached.map(({ digest }) => digest).sort(),
        place.transport,
      );
      from = place;
    }
    const tree = await listReferrers(`${at.host}/b:1`, { ...quiet, depth: 3 });
    assert.deepEqual(
      tree.referrers.map(({ descriptor }) => descriptor.digest),
      [at.attached[0].digest],
    );
    assert.deepEqual(
      tree.referrers[0]?.referrers?.map(({ descriptor }) => descriptor.digest),
      [at.attached[2].digest],
    );
  });

  test('a layout and an archive keep an index of them under the tag that other tools look for', async () => {
    await using at = await world();
    const directory = join(at.directory, 'layout');
    const file = join(at.directory, 'archive.tar');
    await copy(at.source, { transport: 'oci', directory, name: '1' }, all);
    // Once more with another one: what is there stays.
    const more = await attach(at.store, at.index, 'application/more');
    await copy(at.source, { transport: 'oci', directory, name: '1' }, all);
    await copy(at.source, { transport: 'oci-archive', file, name: '1' }, all);
    await using layout = await openLayout(directory);
    await using archive = await openArchive(file, { format: 'oci' });
    for (const place of [layout, archive]) {
      const tag = await place.resolve(`sha256-${at.index.digest.slice(7)}`);
      assert.ok(tag);
      const { manifests } = parseIndex(await place.readAll(tag));
      const digests = [at.attached[0].digest, more.digest].sort();
      assert.deepEqual(manifests.map(({ digest }) => digest).sort(), digests);
      assert.ok(manifests.some(({ artifactType }) => artifactType === 'application/spdx'));
    }
  });

  test('a registry without the API gets the fall-back tag, and is read by it', async () => {
    await using at = await world();
    await using old = await startFaultRegistry(({ path }, response) => {
      if (!path.includes('/referrers/')) return false;
      sendError(response, 404, 'NOT_FOUND');
      return true;
    });
    const place = { transport: 'registry', reference: `${old.host}/app:1` } as const;
    await copy(at.source, place, all);
    assert.ok(old.manifests.has(`app:sha256-${at.index.digest.slice(7)}`));
    await using other = await temporaryStore();
    const back = await copy(place, { transport: 'store', store: other.store, name: 'x' }, all);
    assert.equal(back.referrers?.length, 4);
    const puts = old.requests.filter(({ method, path }) => method === 'PUT' && path.includes('/manifests/'));
    assert.match(puts.at(-1)?.path ?? '', /\/manifests\/1$/, 'what people ask for comes last');
  });

  test('one platform comes with what is about it alone', async () => {
    await using at = await world();
    const to = { transport: 'registry', reference: `${at.host}/one:1` } as const;
    const report = await copy(at.source, to, { ...quiet, platform: arm64, referrers: true });
    assert.deepEqual(
      report.referrers?.map(({ digest }) => digest),
      [at.attached[1].digest],
    );
  });

  test('what is attached moves to the new digest, with a warning', async () => {
    await using at = await world();
    const events: OciEvent[] = [];
    const to = { transport: 'registry', reference: `${at.host}/new:1` } as const;
    const onEvent = (event: OciEvent): void => void events.push(event);
    const report = await copy(at.source, to, { ...all, format: 'docker', onEvent });
    assert.ok(report.digestChanged);
    const tree = await listReferrers(`${at.host}/new:1`, { ...quiet, depth: 2 });
    assert.equal(tree.referrers.length, 1);
    assert.equal(tree.referrers[0]?.referrers?.length, 1, 'also what refers to what was attached');
    assert.ok(events.some((event) => event.type === 'warning' && event.code === 'SUBJECT_CHANGED'));
  });

  test('nothing is read again that the target has', async () => {
    await using at = await world();
    const to = { transport: 'registry', reference: `${at.host}/again:1` } as const;
    await copy(at.source, to, all);
    assert.equal((await copy(at.source, to, all)).bytesPushed, 0);
  });

  test('an archive of Docker and a directory cannot hold them', async () => {
    await using at = await world();
    for (const to of [
      { transport: 'dir', directory: join(at.directory, 'dir') },
      { transport: 'docker-archive', file: join(at.directory, 'docker.tar') },
    ] as const)
      await assert.rejects(copy(at.source, to, { ...quiet, platform: amd64, referrers: true }), {
        code: 'ERR_OCI_ARCHIVE_INVALID',
      });
  });

  test('a registry that lists what is about something else, or itself in circles, is not followed', async () => {
    await using at = await world();
    await using hostile = await startFaultRegistry();
    await serveImage(hostile, { store: at.store, top: at.images[0], name: 'app', tag: '1' });
    const stranger = await attach(at.store, at.images[1], 'application/stranger');
    await serveImage(hostile, { store: at.store, top: stranger, name: 'app', tag: 'stranger' });
    hostile.fault = ({ path }, response) => {
      if (!path.includes('/referrers/')) return false;
      response.writeHead(200, { 'content-type': MediaType.index });
      response.end(
        encodeJson({ schemaVersion: 2, mediaType: MediaType.index, manifests: [stranger, at.images[0]] }),
      );
      return true;
    };
    const events: OciEvent[] = [];
    await using other = await temporaryStore();
    const report = await copy(
      { transport: 'registry', reference: `${hostile.host}/app:1` },
      { transport: 'store', store: other.store, name: 'x' },
      { ...quiet, platform: amd64, referrers: true, onEvent: (event) => void events.push(event) },
    );
    assert.deepEqual(report.referrers, []);
    assert.equal(
      events.filter((event) => event.type === 'warning' && event.code === 'REFERRER_SKIPPED').length,
      1,
    );
  });
});

describe('copying several platforms', () => {
  test('brings an index of them and their attestations alone, or with its digest the whole one', async () => {
    await using at = await world();
    const third = await makeImage(at.store, { seed: 9, platform: { os: 'linux', architecture: 's390x' } });
    const proof = await attach(at.store, at.images[0], 'application/proof');
    const annotations = { 'vnd.docker.reference.digest': at.images[0].digest };
    const platform = { os: 'unknown', architecture: 'unknown' };
    const index = await makeIndex(at.store, [
      { descriptor: at.images[0], platform: amd64 },
      { descriptor: at.images[1], platform: arm64 },
      { descriptor: third, platform: { os: 'linux', architecture: 's390x' } },
      { descriptor: { ...proof, annotations }, platform },
    ]);
    await at.store.tag('r.example/many:1', index);
    const source = { transport: 'store', store: at.store, name: 'r.example/many:1' } as const;
    const platforms = [arm64, amd64];
    const to = { transport: 'registry', reference: `${at.host}/many:1` } as const;
    const report = await copy(source, to, { ...quiet, platforms });
    assert.ok(report.digestChanged);
    await using target = await temporaryStore();
    await copy(to, { transport: 'store', store: target.store, name: 'x' }, { ...quiet, allPlatforms: true });
    const top = await target.store.resolve('docker.io/library/x:latest');
    assert.ok(top);
    assert.deepEqual(
      parseIndex(await target.store.readAll(top)).manifests.map(({ digest }) => digest),
      [at.images[0].digest, at.images[1].digest, proof.digest],
    );
    await using sparse = await temporaryStore();
    const kept = await copy(
      source,
      { transport: 'store', store: sparse.store, name: 'x' },
      { ...quiet, platforms, preserveDigests: true },
    );
    assert.equal(kept.digest, index.digest);
    assert.equal(await sparse.store.size(third.digest), undefined);
    const image = await sparse.store.image('docker.io/library/x:latest', { platform: arm64 });
    assert.equal(parseManifest(image.rawManifest).config.digest, image.manifest.config.digest);
  });

  test('a platform that is not there, or an image of one platform, is an error', async () => {
    await using at = await world();
    const to = { transport: 'oci', directory: join(at.directory, 'layout') } as const;
    const s390x = { os: 'linux', architecture: 's390x' };
    const code = 'ERR_OCI_PLATFORM_NOT_FOUND';
    await assert.rejects(copy(at.source, to, { ...quiet, platforms: [amd64, s390x] }), { code });
    await at.store.tag('r.example/one:1', at.images[0]);
    const one = { transport: 'store', store: at.store, name: 'r.example/one:1' } as const;
    await assert.rejects(copy(one, to, { ...quiet, platforms: [amd64, arm64] }), { code });
  });
});
