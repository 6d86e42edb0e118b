import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { chainIds, createMemoryStore, digestHex } from '@ocijs/image';
import { available, lgetxattr, llistxattr, lsetxattr } from '@ocijs/linux';
import { repack } from '../repack/repack.ts';
import { playground, snapshot } from '../rootfs/testing/snapshot.ts';
import { removeDirectoryTree } from '../unpack/remove-directory.ts';
import { unpack } from '../unpack/unpack.ts';
import { openSnapshots } from './snapshots.ts';
import { mountDisk } from './testing/disk.ts';
import { sampleImage } from './testing/sample-image.ts';

const skip = available() ? false : 'needs Linux';
const program = new URL('./testing/unpack-sample.ts', import.meta.url);
const ordinary = 65_534;
/** The top of every subvolume of btrfs has this inode number. */
const subvolume = 256;

interface Workplace extends Disposable {
  readonly at: (...names: readonly string[]) => string;
  /** Unpacks the image from snapshots, without its blobs, and returns the root file system. */
  readonly warm: (name: string, options?: Parameters<typeof unpack>[2]) => Promise<string>;
  /** The names of the trees that are kept. */
  readonly trees: () => readonly string[];
}

/** A btrfs with the snapshots of the image and a cold unpack of it, `cold`. */
async function workplace(t: TestContext, { as = 0 } = {}): Promise<Workplace | undefined> {
  using resources = new DisposableStack();
  const place = resources.use(playground());
  chmodSync(place.directory, 0o755);
  const disk = mountDisk(t, { base: place.directory, types: ['btrfs'] });
  if (disk === undefined) return undefined;
  resources.use(disk);
  chownSync(disk.path, as, as);
  if (as !== 0) {
    process.setegid?.(as);
    process.seteuid?.(as);
    resources.defer(() => {
      process.seteuid?.(0);
      process.setegid?.(0);
    });
  }
  const at: Workplace['at'] = (...names) => join(disk.path, ...names);
  const rootless = as !== 0;
  const image = await sampleImage();
  await unpack(image, at('cold'), { rootless });
  const snapshots = await openSnapshots(at('snapshots'));
  {
    using _ = await snapshots.use();
    await snapshots.ensure(image);
  }
  const top = chainIds(image.config.rootfs.diff_ids).at(-1);
  assert.ok(top !== undefined);
  const kept = at('snapshots', 'sha256', digestHex(top) + (rootless ? '.user' : ''));
  const withoutBlobs = {
    ...image,
    blobFile: () => undefined,
    openBlob(): never {
      throw new Error('a blob was read');
    },
  };
  const moved = resources.move();
  return {
    at,
    warm: async (name, options) =>
      (await unpack(withoutBlobs, at(name), { snapshots: at('snapshots'), rootless, ...options })).rootfs,
    trees: () => readdirSync(kept).filter((name) => name.startsWith('tree-')),
    [Symbol.dispose]: () => moved.dispose(),
  };
}

/** All that there is to know about the files below a directory, also those that keep an ordinary user out. */
function everything(directory: string): object {
  const user = process.geteuid?.() ?? 0;
  process.seteuid?.(0);
  using _ = { [Symbol.dispose]: () => process.seteuid?.(user) };
  return [...snapshot(directory)].map(([path, found]) => {
    const file = join(directory, path);
    const attributes = llistxattr(file).sort();
    const values = attributes.map((name) => lgetxattr(file, name)?.toString('hex'));
    return [path, found, lstatSync(file, { bigint: true }).mtimeNs, attributes, values];
  });
}

const isSubvolume = (path: string): boolean => lstatSync(path).ino === subvolume;

test('a tree is kept by the first unpack from snapshots and taken by the next', { skip }, async (t) => {
  using place = await workplace(t);
  if (place === undefined) return;
  const { at, warm, trees } = place;
  const cold = everything(at('cold/rootfs'));
  assert.deepEqual(everything(await warm('first')), cold);
  assert.equal(trees().length, 1);
  const [kept = ''] = trees();
  writeFileSync(at('first/rootfs/bin/a'), 'changed');
  rmSync(at('first/rootfs/bin/c'));
  assert.deepEqual(everything(await warm('second')), cold);
  assert.ok(isSubvolume(at('second/rootfs')));
  mkdirSync(at('third'));
  assert.deepEqual(everything(await warm('third', { rootfsOnly: true })), cold);
  assert.ok(isSubvolume(at('third')));
  assert.deepEqual(trees(), [kept]);
  for (const name of ['oci.json', 'config.json']) {
    const read = (bundle: string): object => {
      const { stamp: _, ...rest } = JSON.parse(readFileSync(at(bundle, name), 'utf8'));
      return rest;
    };
    assert.deepEqual(read('second'), read('cold'));
  }
  for (const name of readdirSync(at('cold/oci.layers')))
    assert.equal(
      readFileSync(at('second/oci.layers', name), 'utf8'),
      readFileSync(at('cold/oci.layers', name), 'utf8'),
    );
});

test('the root file system can be repacked, moved and removed', { skip }, async (t) => {
  using place = await workplace(t);
  if (place === undefined) return;
  const { at, warm } = place;
  const base = await sampleImage();
  await warm('first');
  await warm('bundle');
  const repacked = (name: string) => repack(at(name), createMemoryStore(), { base, clampNs: 0n });
  assert.deepEqual((await repacked('bundle')).changes, []);
  for (const name of ['cold', 'bundle']) {
    writeFileSync(at(name, 'rootfs/bin/a'), 'another');
    rmSync(at(name, 'rootfs/bin/c'));
  }
  assert.equal((await repacked('bundle')).descriptor.digest, (await repacked('cold')).descriptor.digest);
  renameSync(at('bundle'), at('moved'));
  renameSync(at('moved/rootfs'), at('moved/files'));
  assert.ok(isSubvolume(at('moved/files')));
  rmSync(at('moved'), { recursive: true });
  assert.equal(existsSync(at('moved')), false);
});

test('trees are made and taken by an ordinary user', { skip }, async (t) => {
  using place = await workplace(t, { as: ordinary });
  if (place === undefined) return;
  const { at, warm, trees } = place;
  const cold = everything(at('cold/rootfs'));
  assert.deepEqual(everything(await warm('first')), cold);
  assert.equal(trees().length, 1);
  assert.deepEqual(everything(await warm('second')), cold);
  assert.ok(isSubvolume(at('second/rootfs')));
  assert.equal(lstatSync(at('second/rootfs/bin/a')).uid, ordinary);
  await removeDirectoryTree(at('second'));
  assert.equal(existsSync(at('second')), false);
  const snapshots = await openSnapshots(at('snapshots'));
  assert.equal((await snapshots.removeUnused(async () => [])).length, 2);
  assert.deepEqual(readdirSync(at('snapshots/sha256')), []);
});

test('a tree is not taken where files would get something else', { skip }, async (t) => {
  using place = await workplace(t);
  if (place === undefined) return;
  const { at, warm, trees } = place;
  await warm('first');
  const acl = Buffer.from('0200000001000700ffffffff04000500ffffffff10000500ffffffff20000500ffffffff', 'hex');
  const places: Readonly<Record<string, (directory: string) => void>> = {
    group: (directory) => {
      chownSync(directory, 0, 7);
      chmodSync(directory, 0o2755);
    },
    acl: (directory) => lsetxattr(directory, { name: 'system.posix_acl_default', value: acl }),
    compressed: (directory) =>
      lsetxattr(directory, { name: 'btrfs.compression', value: Buffer.from('zstd') }),
  };
  let expected = 1;
  for (const [name, change] of Object.entries(places)) {
    mkdirSync(at(name));
    change(at(name));
    const copied = everything(await warm(`${name}/one`));
    expected += 1;
    assert.equal(trees().length, expected, name);
    assert.deepEqual(everything(await warm(`${name}/two`)), copied, name);
    await unpack(await sampleImage(), at(name, 'cold'));
    assert.deepEqual(snapshot(at(name, 'two/rootfs')), snapshot(at(name, 'cold/rootfs')), name);
    assert.equal(trees().length, expected, name);
  }
  // The root file system's files would have to be moved out of a subvolume: the target is one.
  const { createSubvolume, openat, close, constants } = await import('@ocijs/linux');
  const top = openat(constants.AT_FDCWD, at('.'), { flags: constants.O_DIRECTORY });
  try {
    assert.ok(createSubvolume({ directory: top, name: 'target' }));
  } finally {
    close(top);
  }
  await warm('target', { rootfsOnly: true });
  assert.deepEqual(snapshot(at('target')), snapshot(at('cold/rootfs')));
});

test('several processes unpack at the same time', { skip }, async (t) => {
  using place = await workplace(t);
  if (place === undefined) return;
  const { at, warm, trees } = place;
  const others = [0, 1].map((index) => start(at(`other-${index}`), at('snapshots')));
  const own = await Promise.all([0, 1, 2].map((index) => warm(`own-${index}`)));
  for (const { ended } of others) assert.deepEqual(await ended, [0, null]);
  assert.equal(trees().length, 1);
  const cold = everything(at('cold/rootfs'));
  for (const rootfs of [...own, at('other-0/rootfs'), at('other-1/rootfs')])
    assert.deepEqual(everything(rootfs), cold);
});

test('a process that is killed leaves no half tree', { skip }, async (t) => {
  using place = await workplace(t);
  if (place === undefined) return;
  const { at, warm, trees } = place;
  const cold = everything(at('cold/rootfs'));
  for (const pause of [0, 10]) {
    const { other, ended } = start(at('killed'), at('snapshots'));
    // From when on it works at it.
    while (other.exitCode === null && readdirSync(at('.')).every((name) => !name.startsWith('.killed.')))
      await sleep(1);
    await sleep(pause);
    other.kill('SIGKILL');
    await ended;
    rmSync(at('killed'), { recursive: true, force: true });
    assert.deepEqual(everything(await warm('killed')), cold);
    assert.deepEqual(
      readdirSync(at('.')).filter((name) => name.startsWith('.')),
      [],
    );
    rmSync(at('killed'), { recursive: true });
    assert.equal(trees().length, 1);
  }
});

test('trees are removed with the snapshots that they are of', { skip }, async (t) => {
  using place = await workplace(t);
  if (place === undefined) return;
  const { at, warm, trees } = place;
  await warm('first');
  assert.equal(trees().length, 1);
  const snapshots = await openSnapshots(at('snapshots'));
  assert.equal((await snapshots.list()).length, 2);
  const ids = chainIds((await sampleImage()).config.rootfs.diff_ids);
  assert.deepEqual(await snapshots.removeUnused(async () => ids), []);
  assert.equal(trees().length, 1);
  assert.deepEqual(await snapshots.removeUnused(async () => ids.slice(0, 1)), ids.slice(1));
  assert.deepEqual(readdirSync(at('snapshots/sha256')), ids.slice(0, 1).map(digestHex));
  assert.deepEqual(everything(at('first/rootfs')), everything(at('cold/rootfs')));
  rmdirSync(at('first/rootfs/empty'));
});

interface Started {
  readonly other: ChildProcess;
  /** Its exit code and signal. */
  readonly ended: Promise<unknown[]>;
}

function start(target: string, snapshots: string): Started {
  const conditions = process.execArgv.filter((option) => option.startsWith('--conditions='));
  const other = spawn(process.execPath, [...conditions, program.pathname, target, snapshots], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return { other, ended: once(other, 'exit') };
}
