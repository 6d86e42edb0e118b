import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { chainIds, createMemoryStore, type ImageSource } from '@ocijs/image';
import { available, lsetxattr } from '@ocijs/linux';
import { repack } from '../repack/repack.ts';
import { copyTree, startTreeCopy } from '../rootfs/overlay/copy-tree.ts';
import { characterDevice, directory, file, link, type TestEntry } from '../rootfs/testing/entries.ts';
import { playground, snapshot } from '../rootfs/testing/snapshot.ts';
import { closeQueue, createCopyQueue, takeDirectories } from '../unpack/copy-queue.ts';
import { type CopyReply, type CopyRequest, copyTreeInThreads } from '../unpack/copy-threads.ts';
import { startWorker } from '../unpack/start-worker.ts';
import { layerOf, memoryImage, tarBytes } from '../unpack/testing/memory-image.ts';
import { unpack } from '../unpack/unpack.ts';
import { prepareRootfs, releaseRootfs } from './prepare-rootfs.ts';
import { openSnapshots } from './snapshots.ts';
import { mountDisk } from './testing/disk.ts';
import { sampleLayers } from './testing/sample-image.ts';

const skip = available() ? false : 'needs Linux';
const isRoot = process.getuid?.() === 0;
const [first, second] = sampleLayers;

async function image(...layers: readonly (readonly TestEntry[])[]): Promise<ImageSource> {
  return memoryImage(await Promise.all(layers.map(async (entries) => layerOf(await tarBytes(entries)))));
}

/** An image whose blobs cannot be read: all has to come from elsewhere. */
function withoutBlobs(source: ImageSource): ImageSource {
  return {
    ...source,
    blobFile: () => undefined,
    openBlob() {
      throw new Error('a blob was read');
    },
  };
}

async function makeSnapshots(path: string, source: ImageSource): Promise<void> {
  const snapshots = await openSnapshots(path);
  using _ = await snapshots.use();
  await snapshots.ensure(source);
}

async function checkCopy(place: string, source: ImageSource): Promise<void> {
  const at = (name: string): string => join(place, name);
  await unpack(source, at('cold'));
  await makeSnapshots(at('snapshots'), source);
  const bundle = await unpack(withoutBlobs(source), at('warm'), { snapshots: at('snapshots') });
  assert.deepEqual(snapshot(bundle.rootfs), snapshot(join(at('cold'), 'rootfs')));
  const state = (name: string): object => {
    const { stamp: _, ...rest } = JSON.parse(readFileSync(join(at(name), 'oci.json'), 'utf8'));
    return rest;
  };
  assert.deepEqual(state('warm'), state('cold'));
  const records = (name: string): object =>
    readdirSync(join(at(name), 'oci.layers')).map((file) =>
      readFileSync(join(at(name), 'oci.layers', file), 'utf8'),
    );
  assert.deepEqual(records('warm'), records('cold'));
  await unpack(withoutBlobs(source), at('only'), { snapshots: at('snapshots'), rootfsOnly: true });
  assert.deepEqual(snapshot(at('only')), snapshot(bundle.rootfs));
}

test('files from snapshots are those of a cold unpack', { skip }, async () => {
  using place = playground();
  await checkCopy(place.directory, await image(first, second));
});

test('another thread copies what the first one would', { skip }, async () => {
  using place = playground();
  const at = (name: string): string => join(place.directory, name);
  const many = Array.from({ length: 40 }, (_, index) => [
    directory(`d${index}`, { mode: 0o755, mtimeNs: BigInt(index) }),
    directory(`d${index}/in`, { mode: 0o500 }),
    file(`d${index}/in/small`, `small ${index}`),
    link(`d${index}/hard`, index === 0 ? 'd0/in/small' : `d${index - 1}/in/small`),
  ]).flat();
  const source = await image([...first, ...many], second);
  await makeSnapshots(at('snapshots'), source);
  const snapshots = await openSnapshots(at('snapshots'));
  const { diff_ids } = source.config.rootfs;
  const found = await Promise.all(chainIds(diff_ids).map((chainId) => snapshots.find(chainId)));
  const layers = found.map((each) => each?.rootfs ?? '').reverse();
  for (const name of ['one', 'several', 'other', 'late', 'aborted']) mkdirSync(at(name));
  const { form } = snapshots;
  await copyTree(at('one'), { layers, form });
  await copyTreeInThreads(at('several'), { layers, form, helpFrom: 0 });
  assert.deepEqual(snapshot(at('several')), snapshot(at('one')));
  for (const name of ['other', 'late']) {
    using copy = startTreeCopy(at(name), { layers, form });
    for (const _ of copy.makeDirectories());
    const { directories } = copy;
    const queue = createCopyQueue();
    if (name === 'late') {
      for (const _ of copy.fill(takeDirectories(queue, directories)));
      assert.equal(closeQueue(queue), false);
    }
    const worker = startWorker('copy-worker', { stop: new SharedArrayBuffer(1) });
    try {
      worker.postMessage({ target: at(name), layers, directories, queue } satisfies CopyRequest);
      const [reply] = (await once(worker, 'message')) as [CopyReply];
      assert.ok(reply.type === 'copied');
      assert.equal(reply.linked.length, name === 'late' ? 0 : 82);
      assert.equal(closeQueue(queue), name === 'other');
      for (const _ of copy.finish(reply.linked));
    } finally {
      await worker.terminate();
    }
    assert.deepEqual(snapshot(at(name)), snapshot(at('one')));
  }
  const reason = new Error('enough');
  const aborted = { layers, form, signal: AbortSignal.abort(reason), helpFrom: 0 };
  await assert.rejects(copyTreeInThreads(at('aborted'), aborted), reason);
});

test('what is repacked is the same', { skip }, async () => {
  using place = playground();
  const at = (name: string): string => join(place.directory, name);
  const source = await image(first, second);
  await makeSnapshots(at('snapshots'), source);
  await unpack(source, at('cold'));
  await unpack(withoutBlobs(source), at('warm'), { snapshots: at('snapshots') });
  const edited = await Promise.all(
    ['cold', 'warm'].map(async (name) => {
      const store = createMemoryStore();
      const unchanged = await repack(at(name), store, { base: source });
      assert.deepEqual(unchanged.changes, []);
      writeFileSync(join(at(name), 'rootfs/bin/a'), 'another');
      rmSync(join(at(name), 'rootfs/bin/c'));
      return await repack(at(name), store, { base: source, clampNs: 0n });
    }),
  );
  assert.deepEqual(edited[0]?.descriptor.digest, edited[1]?.descriptor.digest);
});

test('a copy takes nothing of the changes of containers, and gives them nothing', { skip }, async () => {
  using place = playground();
  const at = (name: string): string => join(place.directory, name);
  const source = await image(first, second);
  const { rootfs } = await prepareRootfs(source, at('container'), { snapshots: at('snapshots') });
  try {
    writeFileSync(join(rootfs, 'bin/a'), 'by the container');
    await unpack(withoutBlobs(source), at('bundle'), { snapshots: at('snapshots') });
    assert.equal(readFileSync(at('bundle/rootfs/bin/a'), 'utf8'), 'a');
    writeFileSync(at('bundle/rootfs/bin/c'), 'by the bundle');
    assert.equal(readFileSync(join(rootfs, 'bin/c'), 'utf8'), 'c');
  } finally {
    await releaseRootfs(at('container'));
  }
});

test('layers are unpacked where snapshots are not the same, or not all there', { skip }, async () => {
  using place = playground();
  const at = (name: string): string => join(place.directory, name);
  const cases = {
    missing: [await image(first), await image(first, second)],
    reserved: [await image([file('x', 'x', { xattrs: { 'user.overlay.opaque': 'y' } })])],
    ...(isRoot
      ? { whiteout: [await image([characterDevice('zero', { deviceMajor: 0, deviceMinor: 0 })])] }
      : {}),
  };
  for (const [name, [kept, wanted = kept]] of Object.entries(cases)) {
    assert.ok(kept && wanted);
    await makeSnapshots(at(`snapshots-${name}`), kept);
    await unpack(wanted, at(`cold-${name}`));
    await unpack(wanted, at(`warm-${name}`), { snapshots: at(`snapshots-${name}`) });
    assert.deepEqual(snapshot(at(`warm-${name}/rootfs`)), snapshot(at(`cold-${name}/rootfs`)), name);
    await assert.rejects(
      unpack(withoutBlobs(wanted), at(`no-${name}`), { snapshots: at(`snapshots-${name}`) }),
      /a blob was read/,
    );
    assert.equal(existsSync(at(`no-${name}`)), false);
  }
  await unpack(await image(first), at('nowhere'), { snapshots: at('not-there') });
  assert.equal(existsSync(at('not-there')), false);
});

test('what only root of a namespace could set is unpacked instead', {
  skip: skip || (!isRoot && 'needs root'),
}, async () => {
  using place = playground();
  const at = (name: string): string => join(place.directory, name);
  const source = await image(first, second);
  const ordinary = 65_534;
  chmodSync(place.directory, 0o755);
  chownSync(place.directory, ordinary, ordinary);
  process.seteuid?.(ordinary);
  try {
    await unpack(source, at('cold'), { rootless: true });
    await makeSnapshots(at('snapshots'), source);
    for (const name of readdirSync(at('snapshots/sha256'))) {
      const single = at(join('snapshots/sha256', name.replace(/\.user$/, '.single')));
      renameSync(at(join('snapshots/sha256', name)), single);
      process.seteuid?.(0);
      const value = Buffer.from('0100000200040000000000000000000000000000', 'hex');
      if (existsSync(join(single, 'fs/bin/c')))
        lsetxattr(join(single, 'fs/bin/c'), { name: 'security.capability', value });
      process.seteuid?.(ordinary);
    }
    const options = { snapshots: at('snapshots'), rootless: true };
    await assert.rejects(unpack(withoutBlobs(source), at('warm'), options), /a blob was read/);
    await unpack(source, at('warm'), options);
  } finally {
    process.seteuid?.(0);
  }
  assert.deepEqual(snapshot(at('warm/rootfs')), snapshot(at('cold/rootfs')));
});

test('contents are shared on a file system with reflinks', { skip }, async (t) => {
  using place = playground();
  using mounted = mountDisk(t, { base: place.directory, types: ['xfs', 'btrfs'] });
  if (mounted === undefined) return;
  const content = 'x'.repeat(24 * 1024 * 1024);
  const source = await image([file('large', content)]);
  const at = (name: string): string => join(mounted.path, name);
  await makeSnapshots(at('snapshots'), source);
  execFileSync('sync', ['-f', mounted.path]);
  const before = statfsSync(mounted.path);
  await unpack(withoutBlobs(source), at('warm'), { snapshots: at('snapshots') });
  execFileSync('sync', ['-f', mounted.path]);
  const after = statfsSync(mounted.path);
  const taken = (before.bfree - after.bfree) * after.bsize;
  assert.ok(taken < 4 * 1024 * 1024, `${taken} bytes were taken`);
  assert.deepEqual(snapshot(at('warm/rootfs')).size, 2);
  assert.ok(readFileSync(at('warm/rootfs/large')).equals(Buffer.from(content)));
  mkdirSync(at('more'));
  await checkCopy(at('more'), await image(first, second));
});
