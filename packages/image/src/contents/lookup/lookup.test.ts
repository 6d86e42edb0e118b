import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { writeImage } from '../../build/image.ts';
import { digestBytes } from '../../digest/hasher.ts';
import { isOciError } from '../../errors.ts';
import { tocAnnotations } from '../../layer/chunked/toc.ts';
import type { LayerFormat } from '../../layer/format.ts';
import { writeLayer } from '../../layer/write-layer.ts';
import type { ImageSource } from '../../source.ts';
import { checkStore } from '../../store/check/check-store.ts';
import { collectGarbage } from '../../store/garbage/collect-garbage.ts';
import { createMemoryStore } from '../../store/memory-store.ts';
import { openStore } from '../../store/open.ts';
import type { Store } from '../../store/store.ts';
import { recordOfEntry } from '../../tar/entry-record.ts';
import { collectBytes } from '../../tar/testing/streams.ts';
import type { TarWriteEntry } from '../../tar/write-tar.ts';
import { readImageTree } from '../image-tree.ts';
import { cleanPath } from '../names.ts';
import { findNode } from '../resolve.ts';
import { pathOf } from '../tree.ts';
import { walkTree } from '../walk.ts';
import { openImageContents } from './image-contents.ts';

const root = await mkdtemp(join(tmpdir(), 'oci-lookup-'));
after(() => rm(root, { recursive: true, force: true }));

/** Larger than one chunk of a table of contents. */
const large = randomBytes(9 * 1024 * 1024);
const entries: readonly TarWriteEntry[] = [
  {
    header: {
      name: 'etc/',
      type: 'directory',
      mode: 0o750,
      uid: 7,
      gid: 8,
      mtimeNs: 1_500_000_000_123_456_789n,
    },
  },
  {
    header: { name: 'etc/hosts', mode: 0o640, xattrs: new Map([['user.x', Buffer.of(0, 255)]]) },
    body: Buffer.from('first'),
  },
  { header: { name: 'etc/empty' }, body: Buffer.of() },
  { header: { name: 'large' }, body: large },
  { header: { name: 'again', type: 'link', linkname: 'etc/hosts' } },
  { header: { name: 'name', type: 'symlink', linkname: 'etc/hosts' } },
  { header: { name: 'dev', type: 'character-device', deviceMajor: 1, deviceMinor: 3 } },
  { header: { name: 'last' }, body: Buffer.from('last') },
  { header: { name: 'behind' }, body: randomBytes(4 * 1024 * 1024) },
];

interface Counted {
  readonly image: ImageSource;
  /** Bytes of layers that were read since the last call. */
  readonly taken: () => number;
}

/** Counts what is read of blobs; `parts` as from a registry that serves ranges. */
function counting(image: ImageSource, { parts }: { readonly parts: boolean }): Counted {
  let bytes = 0;
  async function* counted(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      bytes += chunk.length;
      yield chunk;
    }
  }
  const { blobFile: _, ...rest } = image;
  return {
    image: {
      ...rest,
      openBlob: (descriptor, options) => counted(image.openBlob(descriptor, options)),
      ...(parts
        ? {
            openBlobPart: async (descriptor, { offset, length }) => {
              const blob = await collectBytes(image.openBlob(descriptor));
              return counted(
                (async function* () {
                  yield blob.subarray(offset, offset + length);
                })(),
              );
            },
          }
        : {}),
    },
    taken() {
      const before = bytes;
      bytes = 0;
      return before;
    },
  };
}

async function imageOf(format: LayerFormat, store?: Store): Promise<ImageSource> {
  const target = store ?? createMemoryStore();
  const layer = await writeLayer(target, { entries }, { format });
  await writeImage(target, { layers: [layer], name: 'test' });
  return target.image('test');
}

async function read(image: ImageSource, path: string): Promise<Buffer> {
  const contents = await openImageContents(image);
  const node = findNode(contents.root, cleanPath(path), { follow: true });
  assert.ok(node);
  return Buffer.from(await collectBytes(contents.read(node.inode)));
}

async function headers(image: ImageSource, how: 'looked up' | 'read'): Promise<unknown[]> {
  const tree = how === 'read' ? await readImageTree(image) : (await openImageContents(image)).root;
  return [...walkTree(tree)].flatMap((node) => {
    if (pathOf(node) === 'stargz.index.json') return [];
    return [[pathOf(node), node.inode.ordinal, recordOfEntry({ ...node.inode.header, name: '' })]];
  });
}

describe('looking into layers with a table of contents', () => {
  for (const format of ['estargz', 'zstd:chunked'] as const) {
    test(`${format}: the table, and of a file what it takes, are all that is read`, async () => {
      const { image, taken } = counting(await imageOf(format), { parts: true });
      assert.deepEqual(await headers(image, 'looked up'), await headers(await imageOf(format), 'read'));
      const table = taken();
      assert.ok(table < 4096, `${table} bytes for the table`);
      assert.equal((await read(image, 'name')).toString(), 'first');
      assert.ok(taken() < table + 4096);
      assert.equal((await read(image, 'last')).toString(), 'last');
      assert.ok(taken() < table + 4096);
      assert.deepEqual(await read(image, 'etc/empty'), Buffer.of());
      assert.equal(taken(), table);
      assert.ok((await read(image, 'large')).equals(large));
      assert.ok(taken() < large.length + table + 8192);
    });

    test(`${format}: where only whole blobs can be had, they are read`, async () => {
      const { image } = counting(await imageOf(format), { parts: false });
      assert.equal((await read(image, 'again')).toString(), 'first');
    });

    test(`${format}: another table than the manifest names is refused, and so is other content`, async () => {
      const good = await imageOf(format);
      const [layer] = good.manifest.layers;
      assert.ok(layer?.annotations);
      const key = format === 'estargz' ? tocAnnotations.estargzDigest : tocAnnotations.zstdDigest;
      const lying = { ...layer, annotations: { ...layer.annotations, [key]: digestBytes(Buffer.from('x')) } };
      const { image } = counting(
        { ...good, manifest: { ...good.manifest, layers: [lying] } },
        { parts: true },
      );
      await assert.rejects(openImageContents(image), (error) => isOciError(error, 'ERR_OCI_DIGEST_MISMATCH'));

      const { image: damaged } = counting(good, { parts: true });
      const contents = await openImageContents({
        ...damaged,
        openBlobPart: async (descriptor, part) => {
          const honest = await damaged.openBlobPart?.(descriptor, part);
          const bytes = Buffer.from(await collectBytes(honest ?? ([] as never)));
          // The file, not the table: in the middle of what does not compress.
          if (part.length > large.length / 2) bytes.writeUInt8(bytes.readUInt8(1_000_000) ^ 1, 1_000_000);
          return (async function* () {
            yield bytes;
          })();
        },
      });
      const node = findNode(contents.root, ['large'], { follow: true });
      assert.ok(node);
      await assert.rejects(
        collectBytes(contents.read(node.inode)),
        (error) =>
          isOciError(error, 'ERR_OCI_DIGEST_MISMATCH') || isOciError(error, 'ERR_OCI_COMPRESSION_INVALID'),
      );
    });
  }
});

test('the annotations of containers/storage before 2022 lead to the table too', async () => {
  const good = await imageOf('zstd:chunked');
  const layers = good.manifest.layers.map((layer) => ({
    ...layer,
    annotations: Object.fromEntries(
      Object.entries(layer.annotations ?? {}).map(([key, value]) => [
        key.replace('io.github.', 'io.'),
        value,
      ]),
    ),
  }));
  const { image, taken } = counting({ ...good, manifest: { ...good.manifest, layers } }, { parts: true });
  assert.equal((await read(image, 'last')).toString(), 'last');
  assert.ok(taken() < 8192);
});

describe('looking into other layers of a store', () => {
  test('a second look reads no layer, and a file no more than lies in front of its end', async () => {
    await using store = await openStore(join(root, 'listed'));
    const { image, taken } = counting(await imageOf('gzip', store), { parts: false });
    const [layer] = image.manifest.layers;
    assert.ok(layer);
    const first = await headers(image, 'looked up');
    assert.equal(taken(), layer.size);
    assert.deepEqual(await headers(image, 'looked up'), first);
    assert.equal(taken(), 0);
    assert.deepEqual(first, await headers(image, 'read'));
    taken();
    assert.equal((await read(image, 'name')).toString(), 'first');
    assert.ok(taken() < 1024 * 1024);
    assert.ok((await read(image, 'large')).equals(large));
    assert.ok(taken() < large.length + 2 * 1024 * 1024);

    assert.deepEqual((await checkStore(store)).problems, []);
    const names = await readdir(join(root, 'listed/listings'));
    assert.deepEqual(names, [layer.digest.replace(':', '-')]);
    await collectGarbage(store, { graceMs: 0 });
    assert.equal((await readdir(join(root, 'listed/listings'))).length, 1);
    await store.untag('test');
    const { leftovers } = await collectGarbage(store, { graceMs: 0 });
    assert.deepEqual(
      leftovers.map(({ reason }) => reason),
      ['listing of a layer that is gone'],
    );
    assert.deepEqual(await readdir(join(root, 'listed/listings')), []);
  });

  test('a damaged listing is made again; a damaged layer is found out', async () => {
    const directory = join(root, 'damaged');
    await using store = await openStore(directory);
    const image = await imageOf('gzip', store);
    const [layer] = image.manifest.layers;
    assert.ok(layer);
    const first = await headers(image, 'looked up');
    const listing = join(directory, 'listings', layer.digest.replace(':', '-'));
    for (const spoil of [
      () => truncate(listing, 20),
      () => truncate(listing, 0),
      () => writeFile(listing, 'x'),
    ]) {
      await spoil();
      assert.deepEqual(await headers(image, 'looked up'), first);
      assert.equal((await read(image, 'last')).toString(), 'last');
    }
    const blob = await collectBytes(image.openBlob(layer));
    const damaged = Buffer.from(blob);
    damaged.writeUInt8(damaged.readUInt8(2_000_000) ^ 1, 2_000_000);
    await writeFile(store.file(layer.digest), damaged);
    await assert.rejects(read(image, 'large'));
  });
});
