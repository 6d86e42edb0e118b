import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Descriptor, type ImageSource, isOciError, type OciEvent } from '@ocijs/image';
import { available, isSystemCallError, mount, umount2 } from '@ocijs/linux';
import { loadBundle } from '../load-bundle.ts';
import { directory, file, link, symlink, type TestEntry } from '../rootfs/testing/entries.ts';
import { type Playground, paths, playground, snapshot } from '../rootfs/testing/snapshot.ts';
import { layerOf, memoryImage, type TestImageOptions, tarBytes } from './testing/memory-image.ts';
import { unpack } from './unpack.ts';

const skip = available() ? false : 'needs Linux';

const base: readonly TestEntry[] = [
  directory('etc'),
  file('etc/passwd', 'root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n'),
  file('etc/group', 'root:x:0:\n'),
  file('bin/sh', 'x'.repeat(300_000), { mode: 0o4755 }),
  symlink('bin/ash', 'sh'),
];
const second: readonly TestEntry[] = [file('etc/.wh.group'), link('bin/bash', 'bin/sh'), file('new', 'n')];

async function image(options: TestImageOptions = {}): Promise<ImageSource> {
  return memoryImage([layerOf(await tarBytes(base)), layerOf(await tarBytes(second), 'zstd')], options);
}

function target({ directory: parent }: Playground): string {
  return join(parent, 'bundle');
}

const bundlePaths = ['bin', 'bin/ash', 'bin/bash', 'bin/sh', 'etc', 'etc/passwd', 'new'];

for (const kind of ['file', 'stream'] as const) {
  test(`layers of a ${kind} become a bundle`, { skip }, async () => {
    using place = playground();
    const events: OciEvent[] = [];
    const source = await image({
      config: { Cmd: ['/bin/sh'], User: 'app' },
      ...(kind === 'file' ? { directory: place.directory } : { chunkSize: 100 }),
    });
    const bundle = await unpack(source, target(place), { onEvent: (event) => events.push(event) });
    assert.equal(bundle.directory, target(place));
    assert.equal(statSync(bundle.directory).mode & 0o7777, 0o700);
    assert.deepEqual(readdirSync(bundle.directory).sort(), [
      'config.json',
      'oci.json',
      'oci.layers',
      'rootfs',
    ]);
    assert.deepEqual(paths(bundle.rootfs), bundlePaths);
    const found = snapshot(bundle.rootfs);
    assert.equal(found.get('bin/sh')?.mode, 0o4755);
    assert.equal(found.get('bin/sh')?.linkGroup, 'bin/bash');
    assert.deepEqual([found.get('.')?.mode, found.get('.')?.mtime], [0o755, 0]);
    assert.deepEqual(bundle.config.process?.args, ['/bin/sh']);
    assert.equal(bundle.config.process?.user.uid, 1_000);
    assert.deepEqual(bundle.image, { name: source.name, digest: source.descriptor.digest });
    const loaded = await loadBundle(target(place));
    assert.equal(JSON.stringify(loaded.config), JSON.stringify(bundle.config));
    assert.deepEqual(loaded.image, bundle.image);
    assert.equal(loaded.rootfs, bundle.rootfs);
    assert.deepEqual(events.at(0), { type: 'unpack-start', layers: 2, total: sizeOf(source) });
    const done = events.filter((event) => event.type === 'layer-done');
    assert.deepEqual(
      done.map(({ index, entries }) => [index, entries]),
      [
        [0, 5],
        [1, 3],
      ],
    );
  });
}

function sizeOf({ manifest }: ImageSource): number {
  return manifest.layers.reduce((sum, { size }) => sum + size, 0);
}

test('only the root file system', { skip }, async () => {
  using place = playground();
  const closed = layerOf(await tarBytes([directory('./', { mode: 0o555 }), file('x', 'y')]));
  const bundle = await unpack(memoryImage([closed]), target(place), { rootfsOnly: true });
  assert.equal(bundle.rootfs, target(place));
  assert.equal(statSync(target(place)).mode & 0o7777, 0o555);
  assert.deepEqual(readdirSync(place.directory), ['bundle']);
  chmodSync(target(place), 0o755);
});

test('an image without layers is an empty root file system', { skip }, async () => {
  using place = playground();
  const bundle = await unpack(memoryImage([]), target(place));
  assert.deepEqual(readdirSync(bundle.rootfs), []);
});

test('an empty directory, also behind a link, and missing parents are fine', { skip }, async () => {
  using place = playground();
  mkdirSync(join(place.directory, 'real'));
  symlinkSync('real', join(place.directory, 'alias'));
  const bundle = await unpack(await image(), join(place.directory, 'alias'));
  assert.equal(bundle.directory, join(place.directory, 'real'));
  const deep = await unpack(await image(), join(place.directory, 'a/b/c'));
  assert.deepEqual(paths(deep.rootfs), bundlePaths);
});

test('a directory that is not empty, and a file, are left alone', { skip }, async () => {
  using place = playground();
  mkdirSync(target(place));
  writeFileSync(join(target(place), 'mine'), 'mine');
  const isExists = (error: unknown) => isOciError(error, 'ERR_OCI_BUNDLE_EXISTS');
  await assert.rejects(unpack(await image(), target(place)), isExists);
  await assert.rejects(unpack(await image(), join(target(place), 'mine')), isExists);
  assert.deepEqual(readdirSync(target(place)), ['mine']);
  assert.deepEqual(readdirSync(place.directory), ['bundle']);
});

const failures: readonly {
  readonly name: string;
  readonly code: string;
  readonly options?: TestImageOptions;
  readonly entries?: readonly TestEntry[];
}[] = [
  {
    name: 'a flipped byte in the second layer',
    code: 'ERR_OCI_DIGEST_MISMATCH',
    options: { damage: (blob, index) => (index === 1 ? flip(blob, blob.length >> 1) : blob) },
  },
  {
    name: 'a flipped byte in the gzip trailer',
    code: 'ERR_OCI_DIGEST_MISMATCH',
    options: { damage: (blob) => flip(blob, blob.length - 5) },
  },
  {
    name: 'a flipped byte in the gzip header',
    code: 'ERR_OCI_DIGEST_MISMATCH',
    options: { damage: (blob) => flip(blob, 0) },
  },
  {
    name: 'a truncated layer',
    code: 'ERR_OCI_SIZE_MISMATCH',
    options: { damage: (blob) => blob.subarray(0, -20) },
  },
  { name: 'an empty layer file', code: 'ERR_OCI_SIZE_MISMATCH', options: { damage: () => Buffer.of() } },
  {
    name: 'a layer with bytes behind it',
    code: 'ERR_OCI_SIZE_MISMATCH',
    options: { damage: (blob) => Buffer.concat([blob, Buffer.alloc(100_000)]) },
  },
  {
    name: 'a user that the image does not have',
    code: 'ERR_OCI_USER_NOT_FOUND',
    options: { config: { User: 'nobody-here' } },
  },
  { name: 'a hostile layer', code: 'ERR_OCI_LAYER_ESCAPE', entries: [file('a'), file('.wh...')] },
  { name: 'a broken hard link', code: 'ERR_OCI_LAYER_INVALID', entries: [link('a', 'b')] },
];

function flip(blob: Buffer, at: number): Buffer {
  blob[at] = (blob[at] ?? 0) ^ 1;
  return blob;
}

for (const { name, code, options = {}, entries } of failures) {
  for (const kind of ['file', 'stream'] as const) {
    test(`${name} (${kind}): ${code}, and nothing is left`, { skip }, async () => {
      using place = playground();
      const blobs = join(place.directory, 'blobs');
      mkdirSync(blobs);
      const all = { ...options, ...(kind === 'file' ? { directory: blobs } : {}) };
      const source =
        entries === undefined ? await image(all) : memoryImage([layerOf(await tarBytes(entries))], all);
      await assert.rejects(unpack(source, join(place.directory, 'new/bundle')), (error) => {
        assert.ok(isOciError(error, code), String(error));
        assert.equal(
          error instanceof Error && error.name,
          code.startsWith('ERR_OCI_DIGEST') || code.startsWith('ERR_OCI_SIZE') ? 'ImageError' : 'BundleError',
        );
        return true;
      });
      assert.deepEqual(readdirSync(place.directory), ['blobs']);
    });
  }
}

test('content that is not what the configuration says', { skip }, async () => {
  using place = playground();
  const [layer, other] = [layerOf(await tarBytes(base)), layerOf(await tarBytes(second))];
  const source = memoryImage([{ ...layer, diffId: other.diffId }]);
  await assert.rejects(unpack(source, target(place)), (error) => {
    assert.ok(isOciError(error, 'ERR_OCI_DIGEST_MISMATCH'));
    assert.deepEqual([error.facts.expected, error.facts.actual], [other.diffId, layer.diffId]);
    assert.ok(error.hint);
    return true;
  });
  assert.deepEqual(readdirSync(place.directory), []);
});

test('what is no layer, and a number of layers that does not fit', { skip }, async () => {
  using place = playground();
  const layer = layerOf(await tarBytes(base));
  const encrypted = memoryImage([{ ...layer, mediaType: `${layer.mediaType}+encrypted` }]);
  await assert.rejects(
    unpack(encrypted, target(place)),
    (error) => isOciError(error, 'ERR_OCI_MEDIA_TYPE_UNSUPPORTED') && /decrypt/.test(error.hint ?? ''),
  );
  const source = memoryImage([layer]);
  const twice = {
    ...source,
    manifest: { ...source.manifest, layers: [...source.manifest.layers, ...source.manifest.layers] },
  };
  await assert.rejects(unpack(twice, target(place)), (error) => isOciError(error, 'ERR_OCI_CONFIG_INVALID'));
  assert.deepEqual(readdirSync(place.directory), []);
});

test('bytes behind the end of the archive are part of the digests, but not of the tree', {
  skip,
}, async () => {
  using place = playground();
  const tar = Buffer.concat([await tarBytes(second.slice(2)), await tarBytes(base), Buffer.alloc(5_000)]);
  for (const compression of ['gzip', 'zstd', 'none'] as const) {
    const bundle = await unpack(memoryImage([layerOf(tar, compression)]), join(place.directory, compression));
    assert.deepEqual(paths(bundle.rootfs), ['new']);
  }
});

test('a failing source', { skip }, async () => {
  using place = playground();
  const source = await image();
  const broken: ImageSource = {
    ...source,
    async *openBlob(descriptor: Descriptor) {
      for await (const chunk of source.openBlob(descriptor)) {
        yield chunk;
        throw Object.assign(new Error('connection reset'), { code: 'ECONNRESET' });
      }
    },
  };
  await assert.rejects(unpack(broken, target(place)), { code: 'ECONNRESET' });
  assert.deepEqual(readdirSync(place.directory), []);
});

test('aborting before, during a stream, and between layers leaves nothing', { skip }, async () => {
  using place = playground();
  const source = await image({ directory: place.directory });
  const left = () => readdirSync(place.directory).filter((name) => name.includes('bundle'));
  const reason = new Error('enough');
  await assert.rejects(unpack(source, target(place), { signal: AbortSignal.abort(reason) }), reason);
  for (const type of ['unpack-start', 'layer-progress', 'layer-done'] as const) {
    const controller = new AbortController();
    const options = {
      signal: controller.signal,
      onEvent: (event: OciEvent) => event.type === type && controller.abort(reason),
    };
    await assert.rejects(unpack(source, target(place), options), reason, type);
    assert.deepEqual(left(), []);
  }
  const controller = new AbortController();
  const endless: ImageSource = {
    ...(await image()),
    async *openBlob(_, options) {
      yield Buffer.alloc(10);
      setTimeout(() => controller.abort(reason), 20);
      await new Promise((_, reject) =>
        options?.signal?.addEventListener('abort', () => reject(options.signal?.reason)),
      );
    },
  };
  await assert.rejects(unpack(endless, target(place), { signal: controller.signal }), reason);
  assert.deepEqual(left(), []);
});

test('descriptors do not leak, neither by success nor by failure nor by abort', { skip }, async () => {
  using place = playground();
  const count = () => readdirSync('/proc/self/fd').length;
  const good = await image({ directory: place.directory });
  const bad = memoryImage([layerOf(await tarBytes([...base, link('a', 'b')]))]);
  await unpack(good, join(place.directory, 'warm'));
  const before = count();
  for (let round = 0; round < 3; round += 1) {
    await unpack(good, join(place.directory, `b${round}`));
    await assert.rejects(unpack(bad, join(place.directory, 'bad')));
    const controller = new AbortController();
    const onEvent = (event: OciEvent) => event.type === 'layer-progress' && controller.abort();
    await assert.rejects(
      unpack(good, join(place.directory, 'abort'), { signal: controller.signal, onEvent }),
    );
  }
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok(count() <= before, `${count()} descriptors instead of ${before}`);
});

test('two at once for one directory: one wins', { skip }, async () => {
  using place = playground();
  const source = await image({ directory: place.directory });
  const results = await Promise.allSettled([unpack(source, target(place)), unpack(source, target(place))]);
  const failed = results.filter((result) => result.status === 'rejected');
  assert.equal(failed.length, 1);
  assert.ok(isOciError(failed[0]?.reason, 'ERR_OCI_BUNDLE_EXISTS'));
  assert.deepEqual(paths(join(target(place), 'rootfs')), bundlePaths);
});

test('a parent that cannot be written to: the bundle is built inside of its directory', {
  skip: skip || (process.getuid?.() === 0 && 'needs an ordinary user'),
}, async () => {
  using place = playground();
  mkdirSync(join(place.directory, 'closed/bundle'), { recursive: true });
  chmodSync(join(place.directory, 'closed'), 0o555);
  try {
    const bundle = await unpack(await image(), join(place.directory, 'closed/bundle'));
    assert.deepEqual(readdirSync(bundle.directory).sort(), [
      'config.json',
      'oci.json',
      'oci.layers',
      'rootfs',
    ]);
  } finally {
    chmodSync(join(place.directory, 'closed'), 0o755);
  }
});

test('a place that may not be written to', {
  skip: skip || (process.getuid?.() === 0 && 'needs an ordinary user'),
}, async () => {
  await assert.rejects(unpack(await image(), '/not-allowed'), (error) =>
    isOciError(error, 'ERR_OCI_UNPACK_DENIED'),
  );
});

test('a blob whose file is gone is opened, which tells what is wrong', { skip }, async () => {
  using place = playground();
  const source = { ...(await image()), blobFile: () => join(place.directory, 'gone') };
  assert.deepEqual(paths((await unpack(source, target(place))).rootfs), bundlePaths);
});

test('mapped ids are in the configuration too', {
  skip: skip || (process.getuid?.() !== 0 && 'needs root'),
}, async () => {
  using place = playground();
  const map = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
  const { rootfs, config } = await unpack(await image(), target(place), { uidMap: map, gidMap: map });
  assert.equal(lstatSync(rootfs).uid, 100_000);
  assert.equal(lstatSync(join(rootfs, 'bin/ash')).gid, 100_000);
  assert.deepEqual(config.linux?.uidMappings, map);
  assert.ok(config.linux?.namespaces?.some(({ type }) => type === 'user'));
});

test('there is no bundle where there is none', async () => {
  using place = playground();
  const isInvalid = (error: unknown) => isOciError(error, 'ERR_OCI_BUNDLE_INVALID');
  await assert.rejects(loadBundle(join(place.directory, 'none')), isInvalid);
  writeFileSync(join(place.directory, 'config.json'), '{"ociVersion":"1.2.0"}');
  await assert.rejects(loadBundle(place.directory), isInvalid);
  writeFileSync(join(place.directory, 'config.json'), '{"ociVersion":"1.2.0","root":{"path":"r"}}');
  assert.equal((await loadBundle(place.directory)).rootfs, join(place.directory, 'r'));
  writeFileSync(
    join(place.directory, 'oci.json'),
    '{"version":1,"image":{"name":"x","digest":"sha256:../x"}}',
  );
  await assert.rejects(loadBundle(place.directory), isInvalid);
  assert.equal(existsSync(join(place.directory, 'r')), false);
});

test('a mount point: the bundle is built inside of it', {
  skip: skip || (process.getuid?.() !== 0 && 'needs root'),
}, async (t) => {
  using place = playground();
  mkdirSync(target(place));
  try {
    mount(target(place), { source: 'none', type: 'tmpfs' });
  } catch (error) {
    if (isSystemCallError(error, 'EPERM')) return t.skip('mounting is forbidden here');
    throw error;
  }
  try {
    await assert.rejects(
      unpack(memoryImage([layerOf(await tarBytes([file('.wh.')]))]), target(place)),
      (error) => isOciError(error, 'ERR_OCI_LAYER_INVALID'),
    );
    assert.deepEqual(readdirSync(target(place)), []);
    const bundle = await unpack(await image(), target(place));
    assert.deepEqual(readdirSync(bundle.directory).sort(), [
      'config.json',
      'oci.json',
      'oci.layers',
      'rootfs',
    ]);
    assert.equal(statSync(bundle.directory).mode & 0o7777, 0o700);
  } finally {
    umount2(target(place));
  }
});
