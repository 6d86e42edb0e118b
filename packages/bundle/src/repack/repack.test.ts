import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  buildLayer,
  createMemoryStore,
  type ImageStore,
  pathOf,
  readImageTree,
  type TarWriteEntry,
  validateImage,
  walkTree,
  writeImage,
} from '@ocijs/image';
import { available } from '@ocijs/linux';
import { playground } from '../rootfs/testing/snapshot.ts';
import { parseOwnerNote } from '../spec/owner-note.ts';
import { unpack } from '../unpack/unpack.ts';
import { type RepackOptions, repack } from './repack.ts';

const skip = !available() && 'needs Linux';
const file = (name: string, content = ''): TarWriteEntry => ({
  header: { name, mtimeNs: 1_500_000_000_000_000_000n },
  body: Buffer.from(content),
});
const directory = (name: string): TarWriteEntry => ({ header: { name, type: 'directory' } });
const entries = [
  directory('d/'),
  file('d/1', 'a'),
  file('d/2', 'b'),
  directory('e/'),
  file('e/1', 'a'),
  file('f', 'f'),
];

interface Setup extends Disposable {
  readonly store: ImageStore;
  readonly bundle: string;
  readonly rootfs: string;
  repack(options?: Partial<RepackOptions>): ReturnType<typeof repack>;
  /** What the last layer of the repacked image holds. */
  entries(): Promise<string[]>;
}

async function setup(volumes: readonly string[] = []): Promise<Setup> {
  const place = playground();
  const store = createMemoryStore();
  const config = { Volumes: Object.fromEntries(volumes.map((path) => [path, {}])) };
  await writeImage(store, {
    layers: [await buildLayer(entries)],
    name: 'base',
    created: 1_600_000_000,
    config,
  });
  const bundle = join(place.directory, 'bundle');
  await unpack(await store.image('base'), bundle, { rootless: process.getuid?.() !== 0 });
  return {
    store,
    bundle,
    rootfs: join(bundle, 'rootfs'),
    repack: async (options) =>
      repack(bundle, store, { base: await store.image('base'), name: 'new', ...options }),
    async entries() {
      const image = await store.image('new');
      const last = image.manifest.layers.length - 1;
      const root = await readImageTree(
        {
          ...image,
          manifest: { ...image.manifest, layers: [image.manifest.layers[last] ?? image.descriptor] },
        },
        {},
      );
      return [...walkTree(root)].map(pathOf).slice(1);
    },
    [Symbol.dispose]: () => place[Symbol.dispose](),
  };
}

describe('repack', { skip }, () => {
  test('nothing changed: the image itself', async () => {
    using place = await setup();
    const { descriptor, layer, changes } = await place.repack();
    assert.equal(descriptor.digest, (await place.store.image('base')).descriptor.digest);
    assert.equal(layer, undefined);
    assert.deepEqual(changes, []);
  });

  test('what was added, changed and removed is in the layer, and nothing else', async () => {
    using place = await setup();
    writeFileSync(join(place.rootfs, 'new'), 'x');
    writeFileSync(join(place.rootfs, 'f'), 'changed');
    rmSync(join(place.rootfs, 'd/1'));
    const { changes } = await place.repack({ record: { createdBy: 'me', comment: 'why' } });
    const told = changes.filter(({ path }) => path !== '' && path !== 'd');
    assert.deepEqual(told, [
      { kind: 'removed', path: 'd/1' },
      { kind: 'changed', path: 'f' },
      { kind: 'added', path: 'new' },
    ]);
    const image = await place.store.image('new');
    assert.equal(image.manifest.layers.length, 2);
    assert.deepEqual(image.config.history?.at(-1), {
      created: '2020-09-13T12:26:40Z',
      created_by: 'me',
      comment: 'why',
    });
    assert.deepEqual(await validateImage(image), []);
  });

  test('a file that only its content tells apart is found', async () => {
    using place = await setup();
    const path = join(place.rootfs, 'd/1');
    const { atime, mtime } = statSync(path);
    writeFileSync(path, 'z');
    utimesSync(path, atime, mtime);
    assert.deepEqual((await place.repack()).changes, [{ kind: 'changed', path: 'd/1' }]);
  });

  test('directories that were exchanged are looked into, whatever the times in them', async () => {
    using place = await setup();
    rmSync(join(place.rootfs, 'd/2'));
    writeFileSync(join(place.rootfs, 'e/1'), 'z');
    const time = 1_500_000_000;
    utimesSync(join(place.rootfs, 'e/1'), time, time);
    await place.repack({ name: 'middle', refresh: true });
    const base = await place.store.image('middle');
    for (const [from, to] of [
      ['d', 'x'],
      ['e', 'd'],
      ['x', 'e'],
    ] as const)
      renameSync(join(place.rootfs, from), join(place.rootfs, to));
    const { changes } = await place.repack({ base });
    assert.deepEqual(
      changes.filter(({ path }) => path.includes('/')).map(({ path }) => path),
      ['d/1', 'e/1'],
    );
  });

  test('masked paths and volumes stay as they are', async () => {
    using place = await setup(['/d']);
    writeFileSync(join(place.rootfs, 'd/1'), 'changed');
    rmSync(join(place.rootfs, 'e'), { recursive: true });
    const masks = await place.repack({ maskPaths: ['/e/'] });
    assert.deepEqual(
      masks.changes.filter(({ path }) => path !== ''),
      [],
    );
    const { changes } = await place.repack({ maskVolumes: false });
    assert.ok(changes.some(({ path }) => path === 'd/1') && changes.some(({ path }) => path === 'e'));
  });

  test('times are clamped, and then the same edits at another time give the same digest', async () => {
    const edit = async (seconds: number) => {
      using place = await setup();
      writeFileSync(join(place.rootfs, 'new'), 'x');
      utimesSync(join(place.rootfs, 'new'), seconds, seconds);
      const options = { clampNs: 1_600_000_000_000_000_000n, record: { created: 1_600_000_000 } };
      return (await place.repack(options)).descriptor.digest;
    };
    assert.equal(await edit(1_700_000_000), await edit(1_700_100_000));
    assert.notEqual(await edit(1_700_000_000), await edit(1_500_000_000));
  });

  test('the same layer is gzip, zstd or one with a table of contents', async () => {
    using place = await setup();
    symlinkSync('f', join(place.rootfs, 'link'));
    for (const format of ['gzip', 'zstd', 'estargz', 'zstd:chunked', 'none'] as const) {
      await place.repack({ format });
      assert.ok((await place.entries()).includes('link'));
      assert.deepEqual(await validateImage(await place.store.image('new')), []);
    }
  });

  test('many names gone from a directory are hidden by one marker', async () => {
    using place = await setup();
    rmSync(join(place.rootfs, 'd'), { recursive: true });
    mkdirSync(join(place.rootfs, 'd'));
    const { layer } = await place.repack({ format: 'none' });
    const bytes = Buffer.from(await place.store.readAll(layer?.descriptor ?? assert.fail()));
    assert.ok(bytes.includes('d/.wh..wh..opq') && !bytes.includes('.wh.1'));
  });

  test('a copied bundle is compared in full', async () => {
    using place = await setup();
    const path = join(place.bundle, 'oci.json');
    const state = JSON.parse(readFileSync(path, 'utf8'));
    // A copy has another root directory, and times of its own: here from before the unpack.
    state.stamp = { ...state.stamp, inode: '1', timeNs: '9999999999999999999' };
    writeFileSync(path, JSON.stringify(state));
    assert.deepEqual((await place.repack()).changes, []);
    chmodSync(join(place.rootfs, 'f'), 0o600);
    assert.deepEqual((await place.repack()).changes, [{ kind: 'changed', path: 'f' }]);
  });

  test('bundles that others made, and other bases, are refused', async () => {
    using place = await setup();
    const other = { name: 'other', layers: [await buildLayer([])] };
    await writeImage(place.store, other);
    await assert.rejects(place.repack({ base: await place.store.image('other') }), {
      code: 'ERR_OCI_REPACK_FAILED',
    });
    rmSync(join(place.bundle, 'oci.json'));
    writeFileSync(join(place.bundle, 'umoci.json'), '{}');
    await assert.rejects(place.repack(), { code: 'ERR_OCI_REPACK_FAILED', hint: /umoci repack/ });
    const signal = AbortSignal.abort(new Error('no'));
    await assert.rejects(place.repack({ signal }), { message: 'no' });
  });
});

test('owners that tools without privileges note are read', () => {
  assert.deepEqual(parseOwnerNote(Buffer.from([0x08, 0xe8, 0x07, 0x10, 0x05])), { uid: 1000, gid: 5 });
  assert.deepEqual(parseOwnerNote(Buffer.from([0x08, 0xff, 0xff, 0xff, 0xff, 0x0f])), { gid: 0 });
  assert.equal(parseOwnerNote(Buffer.from([0x08])), undefined);
});
