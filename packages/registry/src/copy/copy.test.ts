import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  archiveSink,
  buildLayer,
  type Descriptor,
  type ImageStore,
  MediaType,
  type OciEvent,
  parseIndex,
  parseManifest,
  validateImage,
  writeImage,
  writeIndex,
} from '@ocijs/image';
import { type TemporaryDirectory, temporaryDirectory, temporaryStore } from '../images.testkit.ts';
import { startRegistry } from '../server/index.ts';
import { type CopyOptions, copy } from './copy.ts';
import { load } from './load.ts';
import type { CopyDestinationLocation, CopySourceLocation } from './location.ts';
import { save } from './save.ts';

const amd64 = { os: 'linux', architecture: 'amd64' };
const arm64 = { os: 'linux', architecture: 'arm64' };
const quiet: CopyOptions = { env: { HOME: '/nonexistent' }, retryDelayMs: 1 };

/** A real image of two layers, gzip and zstd, with annotations. */
async function realImage(store: ImageStore, name: string, platform = amd64): Promise<Descriptor> {
  const file = (text: string, size: number) => ({ header: { name: text }, body: Buffer.alloc(size, text) });
  const layers = [
    await buildLayer([file(`${name}-${platform.architecture}`, 70_000)], { compression: 'gzip' }),
    await buildLayer([file('b', 900_000), file('c', 3)], { compression: 'zstd' }),
  ];
  return writeImage(store, { layers, platform, name, annotations: { note: 'kept' }, config: { Cmd: ['x'] } });
}

interface Place {
  readonly to: CopyDestinationLocation;
  readonly from: CopySourceLocation;
}

function places(directory: string, { host, store }: { readonly host: string; readonly store: ImageStore }) {
  const file = (name: string): string => join(directory, name);
  const same = (location: CopyDestinationLocation & CopySourceLocation): Place => ({
    to: location,
    from: location,
  });
  return {
    registry: same({ transport: 'registry', reference: `${host}/team/app:v1` }),
    store: same({ transport: 'store', store, name: 'copied:v1' }),
    oci: same({ transport: 'oci', directory: file('layout'), name: 'v1' }),
    dir: same({ transport: 'dir', directory: file('dir') }),
    'oci-archive': same({ transport: 'oci-archive', file: file('oci.tar'), name: 'v1' }),
    'docker-archive': same({ transport: 'docker-archive', file: file('docker.tar'), name: 'app:v1' }),
  };
}

interface Scene extends AsyncDisposable {
  readonly directory: TemporaryDirectory;
  readonly store: ImageStore;
  readonly source: CopySourceLocation;
  readonly image: Descriptor;
  readonly places: ReturnType<typeof places>;
  diffIds(location: CopySourceLocation): Promise<readonly string[]>;
}

async function scene(): Promise<Scene> {
  const stack = new AsyncDisposableStack();
  const directory = stack.use(await temporaryDirectory());
  const { store } = stack.use(await temporaryStore());
  const other = stack.use(await temporaryStore());
  const registry = stack.use(await startRegistry({ directory: join(directory.path, 'served') }));
  const image = await realImage(store, 'docker.io/library/app:v1');
  return {
    directory,
    store,
    image,
    source: { transport: 'store', store, name: 'app:v1' },
    places: places(directory.path, { host: registry.host, store: other.store }),
    async diffIds(location) {
      const { store: checked } = stack.use(await temporaryStore());
      await copy(location, { transport: 'store', store: checked, name: 'checked' }, quiet);
      const found = await checked.image('docker.io/library/checked:latest');
      assert.deepEqual(await validateImage(found), []);
      return found.config.rootfs.diff_ids;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const transports = ['registry', 'store', 'oci', 'dir', 'oci-archive', 'docker-archive'] as const;

for (const first of transports) {
  test(`store → ${first} → every other place: digests stay unless layers must be uncompressed`, async () => {
    await using made = await scene();
    const { config } = await made.store.image(made.image);
    const there = made.places[first];
    const report = await copy(made.source, there.to, quiet);
    assert.equal(report.digestChanged, first === 'docker-archive');
    assert.equal(report.recompressed.length, first === 'docker-archive' ? 2 : 0);
    for (const second of transports) {
      if (second === first) continue;
      const again = await copy(there.from, made.places[second].to, quiet);
      assert.equal(again.source.digest === made.image.digest, first !== 'docker-archive', second);
      assert.equal(again.digest === again.source.digest, !again.digestChanged);
      assert.deepEqual(await made.diffIds(made.places[second].from), config.rootfs.diff_ids);
    }
  });
}

test('what the destination has is not moved again', async () => {
  await using made = await scene();
  for (const name of ['registry', 'store', 'oci', 'dir'] as const) {
    await copy(made.source, made.places[name].to, quiet);
    const again = await copy(made.source, made.places[name].to, quiet);
    assert.equal((again.bytesFetched ?? 0) + (again.bytesPushed ?? 0), 0, name);
    assert.equal(again.blobs.length, 3);
  }
});

test('all platforms keep the index; one stands alone', async () => {
  await using made = await scene();
  const manifests = [made.image, await realImage(made.store, 'arm', arm64)];
  const index = await writeIndex(made.store, { manifests, name: 'docker.io/library/multi:1' });
  const source = { transport: 'store', store: made.store, name: 'multi:1' } as const;
  for (const name of transports) {
    const all = { ...quiet, allPlatforms: true };
    if (name === 'docker-archive') {
      await assert.rejects(copy(source, made.places[name].to, all), { code: 'ERR_OCI_ARCHIVE_INVALID' });
    } else {
      assert.equal((await copy(source, made.places[name].to, all)).digest, index.digest, name);
      const target = { transport: 'store', store: made.store, name: 'x' } as const;
      const one = await copy(made.places[name].from, target, { ...quiet, platform: arm64 });
      assert.equal(one.digest, manifests[1]?.digest, name);
    }
  }
});

test('Docker format and back: types change, config and diffIDs do not', async () => {
  await using made = await scene();
  const { dir, oci } = made.places;
  const events: OciEvent[] = [];
  const converted = await copy(made.source, dir.to, {
    ...quiet,
    format: 'docker',
    onEvent: (event) => events.push(event),
  });
  assert.equal(converted.mediaType, MediaType.dockerManifest);
  assert.deepEqual(converted.blobs.map(({ mediaType }) => mediaType).slice(1), [
    MediaType.dockerLayerGzip,
    MediaType.dockerLayerGzip,
  ]);
  assert.equal(converted.recompressed.length, 1, 'zstd has no type there');
  assert.ok(events.some((event) => event.type === 'warning' && event.code === 'ANNOTATIONS_DROPPED'));
  const back = await copy(dir.from, oci.to, { ...quiet, format: 'oci' });
  assert.equal(back.mediaType, MediaType.manifest);
  const original = await made.store.image(made.image);
  assert.equal(back.blobs[0]?.digest, original.manifest.config.digest);
  assert.deepEqual(await made.diffIds(oci.from), original.config.rootfs.diff_ids);
});

test('a converted index has converted manifests, and is a manifest list', async () => {
  await using made = await scene();
  const manifests = [made.image, await realImage(made.store, 'arm', arm64)];
  await writeIndex(made.store, { manifests, name: 'multi' });
  const source = { transport: 'store', store: made.store, name: 'multi' } as const;
  const target = { transport: 'store', store: made.store, name: 'list:1' } as const;
  const report = await copy(source, target, { ...quiet, allPlatforms: true, format: 'docker' });
  assert.equal(report.mediaType, MediaType.dockerManifestList);
  const top = await made.store.resolve('docker.io/library/list:1');
  assert.ok(top);
  for (const entry of parseIndex(await made.store.readAll(top)).manifests) {
    assert.equal(parseManifest(await made.store.readAll(entry)).mediaType, MediaType.dockerManifest);
    assert.ok(entry.platform);
  }
});

for (const compression of ['gzip', 'zstd', 'none'] as const) {
  test(`layers become ${compression}, and stay the same layers`, async () => {
    await using made = await scene();
    const { oci } = made.places;
    const report = await copy(made.source, oci.to, { ...quiet, compression });
    assert.equal(report.recompressed.length, compression === 'none' ? 2 : 1);
    assert.ok(report.digestChanged);
    const { config } = await made.store.image(made.image);
    assert.deepEqual(await made.diffIds(oci.from), config.rootfs.diff_ids);
  });
}

test('preserveDigests fails before anything is written', async () => {
  await using made = await scene();
  for (const options of [{ compression: 'none' }, { format: 'docker' }] as const) {
    const copying = copy(made.source, made.places.oci.to, { ...quiet, ...options, preserveDigests: true });
    await assert.rejects(copying, { code: 'ERR_OCI_DIGEST_MISMATCH' });
  }
  const copying = copy(made.source, made.places['docker-archive'].to, { ...quiet, preserveDigests: true });
  await assert.rejects(copying, { code: 'ERR_OCI_DIGEST_MISMATCH' });
  assert.deepEqual(await readdir(join(made.directory.path, 'layout', 'blobs', 'sha256')), []);
  assert.ok(!(await readdir(made.directory.path)).some((name) => name.startsWith('docker.tar')));
});

test('a layer that is not the one of the config is not compressed anew', async () => {
  await using made = await scene();
  const image = await made.store.image(made.image);
  const [, second] = image.manifest.layers;
  const mixed = { ...image.manifest, layers: [second, second] };
  const wrong = await made.store.put(Buffer.from(JSON.stringify(mixed)), { mediaType: MediaType.manifest });
  await made.store.tag('wrong', wrong);
  const copying = copy(
    { transport: 'store', store: made.store, name: 'wrong' },
    made.places['docker-archive'].to,
    quiet,
  );
  await assert.rejects(copying, { code: 'ERR_OCI_DIGEST_MISMATCH', message: /diffID/ });
});

test('an aborted copy leaves no archive', async () => {
  await using made = await scene();
  const abort = new AbortController();
  const reason = new Error('enough');
  const onEvent = (event: OciEvent): void => {
    if (event.type === 'blob-done') abort.abort(reason);
  };
  const copying = copy(made.source, made.places['oci-archive'].to, {
    ...quiet,
    signal: abort.signal,
    onEvent,
  });
  await assert.rejects(copying, reason);
  assert.deepEqual(
    (await readdir(made.directory.path)).filter((name) => name.startsWith('oci.tar')),
    [],
  );
});

test('saved images are loaded under their names, from a stream too', async () => {
  await using made = await scene();
  await realImage(made.store, 'example.com/other:2');
  const names = ['docker.io/library/app:v1', 'example.com/other:2'];
  for (const format of ['docker', 'oci'] as const) {
    const file = join(made.directory.path, `${format}-saved.tar`);
    const saved = await save(names, file, { ...quiet, store: made.store, format });
    assert.equal(saved.length, 2);
    for (const input of [file, createReadStream(file)]) {
      await using target = await temporaryStore();
      const loaded = await load(input, { ...quiet, store: target.store });
      assert.deepEqual(
        loaded.map(({ name, digest }) => [name, digest]),
        saved.map(({ digest }, index) => [names[index], digest]),
      );
      for (const name of names) assert.deepEqual(await validateImage(await target.store.image(name)), []);
    }
  }
});

test('an archive with a part of an index is loaded with that part, also of an index below', async () => {
  await using made = await scene();
  const other = await realImage(made.store, 'arm', arm64);
  const inner = await writeIndex(made.store, { manifests: [made.image, other] });
  const index = await writeIndex(made.store, { manifests: [inner], name: 'docker.io/library/deep:1' });
  const file = join(made.directory.path, 'part.tar');
  {
    await using sink = await archiveSink(file, { format: 'oci' });
    const { config, layers } = parseManifest(await made.store.readAll(made.image));
    for (const blob of [config, ...layers]) await sink.writeBlob(blob, made.store.read(blob));
    for (const document of [made.image, inner, index])
      await sink.writeManifest(document, await made.store.readAll(document));
    await sink.add(index, 'docker.io/library/deep:1');
    await sink.commit();
  }
  await using target = await temporaryStore();
  const [loaded] = await load(file, { ...quiet, store: target.store });
  assert.equal(loaded?.digest, index.digest);
  const image = await target.store.image('docker.io/library/deep:1', { platform: amd64 });
  assert.deepEqual(await validateImage(image), []);
  assert.equal(await target.store.size(other.digest), undefined);
});

test('an image without a full name is loaded only under one that is given', async () => {
  await using made = await scene();
  const { to, from } = made.places['oci-archive'];
  await copy(made.source, to, quiet);
  const file = 'file' in from && typeof from.file === 'string' ? from.file : '';
  await using target = await temporaryStore();
  await assert.rejects(load(file, { store: target.store }), { code: 'ERR_OCI_ARCHIVE_INVALID' });
  const [loaded] = await load(file, { store: target.store, name: 'mine' });
  assert.equal(loaded?.name, 'docker.io/library/mine:latest');
  assert.equal(loaded?.digest, made.image.digest);
});

test('tells bytes, speed and remaining time of all blobs together, whatever the destination', async () => {
  await using made = await scene();
  const along = async (from: CopySourceLocation, to: CopyDestinationLocation) => {
    const events: OciEvent[] = [];
    const report = await copy(from, to, { ...quiet, onEvent: (event) => void events.push(event) });
    const sums = events.flatMap((event) => (event.type === 'transfer-progress' ? [event] : []));
    const size = report.blobs.reduce((sum, blob) => sum + blob.size, 0);
    assert.deepEqual([sums.at(-1)?.done, sums.at(-1)?.total, sums.at(-1)?.remainingMs], [size, size, 0]);
    return sums.at(-1)?.direction;
  };
  assert.equal(await along(made.source, made.places.registry.to), 'push');
  assert.equal(await along(made.places.registry.from, made.places.oci.to), 'pull');
  assert.equal(await along(made.places.oci.from, made.places.dir.to), 'pull');
});
