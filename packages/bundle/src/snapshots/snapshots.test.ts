import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { chainIds, type Digest, digestHex, type ImageSource, isOciError, type OciEvent } from '@ocijs/image';
import { available } from '@ocijs/linux';
import { directory, file, link, symlink, type TestEntry } from '../rootfs/testing/entries.ts';
import { type Playground, paths, playground, type Snapshot, snapshot } from '../rootfs/testing/snapshot.ts';
import { layerOf, memoryImage, tarBytes } from '../unpack/testing/memory-image.ts';
import { unpack } from '../unpack/unpack.ts';
import { prepareRootfs, releaseRootfs } from './prepare-rootfs.ts';
import { readRootfsRecord } from './rootfs-record.ts';
import { openSnapshots } from './snapshots.ts';

const skip = available() ? false : 'needs Linux';
const needsRoot = skip || (process.getuid?.() !== 0 && 'needs root');

const layers: readonly (readonly TestEntry[])[] = [
  [
    directory('./', { mode: 0o755 }),
    directory('bin', { mode: 0o1777, xattrs: { 'user.note': 'bin' } }),
    file('bin/a', 'a', { mode: 0o4755 }),
    link('bin/b', 'bin/a'),
    symlink('sbin', 'bin'),
    file('etc/passwd', 'root:x:0:0'),
  ],
  [file('bin/.wh.b'), link('c', 'bin/a'), file('etc/.wh..wh..opq'), file('etc/new', 'new')],
  [directory('./', { mode: 0o751 }), file('bin', 'a file'), directory('etc/new')],
];

async function image(
  count: number = layers.length,
  options?: Parameters<typeof memoryImage>[1],
): Promise<ImageSource> {
  const made = await Promise.all(
    layers.slice(0, count).map(async (entries) => layerOf(await tarBytes(entries))),
  );
  return memoryImage(made, options);
}

const idsOf = ({ config }: ImageSource): readonly Digest[] => chainIds(config.rootfs.diff_ids);
const base = (place: Playground): string => join(place.directory, 'snapshots');

/** What is in the directory, also what should not be. */
function names(place: Playground): readonly string[] {
  return readdirSync(join(base(place), 'sha256')).sort();
}

function hexes(ids: readonly Digest[]): readonly string[] {
  const suffix = process.getuid?.() === 0 ? '' : '.user';
  return ids.map((id) => digestHex(id) + suffix).sort();
}

/** Overlayfs counts links that are removed, and gives links to a file one by one. */
function comparable(tree: ReadonlyMap<string, Snapshot>): object {
  const groups = Map.groupBy(tree.values(), ({ linkGroup }) => linkGroup);
  return [...tree].map(([path, { linkGroup, ...entry }]) => ({
    path,
    ...entry,
    ...(linkGroup !== undefined && (groups.get(linkGroup)?.length ?? 0) > 1 ? { linkGroup } : {}),
  }));
}

async function remove(directoryPath: string): Promise<void> {
  await releaseRootfs(directoryPath);
  rmSync(directoryPath, { recursive: true });
}

test('each layer is applied once, for all images that begin with it', { skip }, async () => {
  using place = playground();
  const snapshots = await openSnapshots(base(place));
  assert.equal(lstatSync(snapshots.directory).mode & 0o777, 0o700);
  const done: string[] = [];
  const onEvent = (event: OciEvent) => event.type === 'layer-done' && done.push(event.digest);
  const small = await image(2);
  const found = await snapshots.ensure(small, { onEvent });
  assert.deepEqual(
    found.map(({ chainId }) => chainId),
    idsOf(small),
  );
  assert.equal(done.length, 2);
  const whole = await image();
  await snapshots.ensure(whole, { onEvent });
  assert.equal(done.length, 3, 'the third layer alone');
  const unreadable: ImageSource = {
    ...whole,
    openBlob: () => {
      throw new Error('must not be read');
    },
  };
  assert.equal((await snapshots.ensure(unreadable)).length, 3);
  assert.deepEqual(await snapshots.list(), [...idsOf(whole)].sort());
  assert.deepEqual(names(place), hexes(idsOf(whole)));
});

test('what is damaged or aborted leaves nothing', { skip }, async () => {
  using place = playground();
  const snapshots = await openSnapshots(base(place));
  const damaged = await image(3, {
    damage: (blob, index) => (index === 1 ? Buffer.concat([blob.subarray(1), Buffer.of(0)]) : blob),
  });
  await assert.rejects(snapshots.ensure(damaged), (error) => isOciError(error, 'ERR_OCI_DIGEST_MISMATCH'));
  const [first] = idsOf(damaged);
  assert.deepEqual(names(place), hexes(first === undefined ? [] : [first]));
  const liar = await image(1);
  const other = layerOf(await tarBytes([file('other')]));
  const lying = {
    ...liar,
    config: { ...liar.config, rootfs: { type: 'layers', diff_ids: [other.diffId] } },
  } as const;
  await assert.rejects(snapshots.ensure(lying), (error) => isOciError(error, 'ERR_OCI_DIGEST_MISMATCH'));
  const controller = new AbortController();
  const reason = new Error('enough');
  const onEvent = (event: OciEvent) => event.type === 'layer-progress' && controller.abort(reason);
  const container = join(place.directory, 'container');
  const options = { snapshots: base(place), signal: controller.signal, onEvent };
  await assert.rejects(prepareRootfs(await image(), container, options), reason);
  assert.equal(names(place).length, 1);
  assert.deepEqual(readdirSync(container), []);
});

test('of several at once one makes a snapshot, and what a killed one left is removed', { skip }, async () => {
  using place = playground();
  const [opened, other] = await Promise.all([openSnapshots(base(place)), openSnapshots(base(place))]);
  const source = await image();
  const [first] = idsOf(source);
  const staging = join(base(place), 'sha256', `.${hexes(first === undefined ? [] : [first])[0]}.new`);
  mkdirSync(join(staging, 'fs/half'), { recursive: true });
  chmodSync(join(staging, 'fs'), 0o500);
  writeFileSync(join(staging, 'snapshot.json'), '{');
  let done = 0;
  const onEvent = (event: OciEvent) => {
    if (event.type === 'layer-done') done += 1;
  };
  await Promise.all([opened, other, opened].map((snapshots) => snapshots.ensure(source, { onEvent })));
  assert.equal(done, 3);
  assert.deepEqual(names(place), hexes(idsOf(source)));
  assert.deepEqual(paths((await opened.ensure(source))[0]?.rootfs ?? ''), [
    'bin',
    'bin/a',
    'bin/b',
    'etc',
    'etc/passwd',
    'sbin',
  ]);
});

test('what was not on the disk when the host went down is made again', { skip }, async () => {
  using place = playground();
  const snapshots = await openSnapshots(base(place));
  const source = await image(1);
  const [made] = await snapshots.ensure(source);
  const record = join(made?.rootfs ?? '', '../snapshot.json');
  const lost = join(made?.rootfs ?? '', 'bin/a');
  const { boot, ...settled } = JSON.parse(readFileSync(record, 'utf8'));
  assert.match(boot, /^[0-9a-f-]{36}$/);
  for (const text of [JSON.stringify({ ...settled, boot: 'earlier' }), '']) {
    rmSync(lost);
    writeFileSync(record, text);
    await snapshots.ensure(source);
    assert.ok(existsSync(lost));
  }
  rmSync(lost);
  writeFileSync(record, JSON.stringify(settled));
  await snapshots.ensure(source);
  assert.ok(!existsSync(lost), 'trusted: it had reached the disk');
});

test('removeUnused waits for those who use snapshots, and leaves what is in use', { skip }, async () => {
  using place = playground();
  const snapshots = await openSnapshots(base(place));
  const source = await image();
  await snapshots.ensure(source);
  const ids = idsOf(source);
  mkdirSync(join(base(place), 'sha256', `.${names(place)[0]}.new`));
  mkdirSync(join(base(place), '.trial-left'));
  const use = await snapshots.use();
  let isAsked = false;
  const inUse = async () => {
    isAsked = true;
    return ids.slice(0, 1);
  };
  const removal = snapshots.removeUnused(inUse);
  await sleep(30);
  assert.equal(isAsked, false);
  await assert.rejects(snapshots.removeUnused(inUse, { signal: AbortSignal.timeout(20) }));
  use[Symbol.dispose]();
  assert.deepEqual(await removal, ids.slice(1).sort());
  assert.deepEqual(names(place), hexes(ids.slice(0, 1)));
  assert.deepEqual(readdirSync(base(place)), ['sha256']);
  const wouldGo = await snapshots.removeUnused(async () => [], { dryRun: true });
  assert.deepEqual([wouldGo, names(place).length], [ids.slice(0, 1), 1]);
});

test('the root file system is that of unpack, and the snapshots stay as they are', { skip }, async () => {
  for (const count of [0, 1, 2, 3]) {
    using place = playground();
    const source = await image(count);
    await unpack(source, join(place.directory, 'unpacked'), { rootfsOnly: true });
    const expected = comparable(snapshot(join(place.directory, 'unpacked')));
    // Characters that mean something in mount options.
    const odd = join(place.directory, 'a:b,c\\d');
    for (const name of ['first', 'second']) {
      const container = join(odd, name);
      const made = await prepareRootfs(source, container, {
        snapshots: join(odd, 'snapshots'),
        temporary: true,
      });
      try {
        assert.deepEqual(comparable(snapshot(made.rootfs)), expected, `${count} layers, ${name}`);
        assert.equal((await readRootfsRecord(container))?.kind, made.kind);
        writeFileSync(join(made.rootfs, 'written'), name);
        rmSync(join(made.rootfs, 'etc'), { recursive: true, force: true });
      } finally {
        await remove(container);
      }
    }
    assert.ok(!readFileSync('/proc/self/mounts', 'utf8').includes(place.directory));
  }
});

test('an overlay is mounted once, and unmounting it twice is fine', { skip: needsRoot }, async (t) => {
  using place = playground();
  const container = join(place.directory, 'container');
  const made = await prepareRootfs(await image(), container, { snapshots: base(place) });
  try {
    if (made.kind === 'copy') return t.skip('overlayfs cannot be mounted here');
    assert.deepEqual((await readRootfsRecord(container))?.chainIds, idsOf(await image()));
    const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
    assert.equal(mounts.filter((line) => line.includes(made.rootfs)).length, 1);
    await releaseRootfs(container);
    await releaseRootfs(container);
    assert.deepEqual(readdirSync(made.rootfs), []);
  } finally {
    await remove(container);
  }
});

test('more layers than fit into mount options by name', { skip }, async () => {
  using place = playground();
  const made = await Promise.all(
    Array.from({ length: 120 }, async (_, index) => layerOf(await tarBytes([file(`f${index}`)]), 'none')),
  );
  const container = join(place.directory, 'container');
  const { rootfs, kind } = await prepareRootfs(memoryImage(made), container, { snapshots: base(place) });
  try {
    assert.equal(paths(rootfs).length, 120);
    if (process.getuid?.() === 0) assert.equal(kind, 'overlay');
  } finally {
    await remove(container);
  }
});

test('snapshots of another user are not used', { skip: needsRoot }, async () => {
  using place = playground();
  mkdirSync(base(place));
  chownSync(base(place), 12_345, 12_345);
  await assert.rejects(openSnapshots(base(place)), (error) =>
    isOciError(error, 'ERR_OCI_SNAPSHOT_UNSUPPORTED'),
  );
  const container = join(place.directory, 'container');
  const made = await prepareRootfs(await image(), container, { snapshots: base(place) });
  assert.deepEqual([made.kind, readdirSync(base(place))], ['copy', []]);
  assert.deepEqual(paths(made.rootfs), ['bin', 'c', 'etc', 'etc/new', 'sbin']);
});
