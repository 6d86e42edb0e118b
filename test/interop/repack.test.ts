import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, chmod, link, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { repack, unpack } from '@ocijs/bundle';
import {
  buildLayer,
  checkStore,
  createLayout,
  exportImage,
  openLayout,
  type TarWriteEntry,
  writeImage,
  writeTar,
} from '@ocijs/image';
import { output } from '../kit/command.ts';
import { ociProgram } from '../kit/oci.ts';
import { missing } from '../kit/requirements.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { compareTrees, describeTree } from '../kit/tree.ts';

const time = { mtimeNs: 1_500_000_000_000_000_000n };
const directory = (name: string): TarWriteEntry => ({ header: { ...time, name, type: 'directory' } });
const file = (name: string, text: string, header: object = {}): TarWriteEntry => ({
  header: { ...time, name, ...header },
  body: Buffer.from(text),
});

const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex');
const entries: readonly TarWriteEntry[] = [
  directory('./'),
  ...['etc/', 'etc/d/', 'opaque/', 'usr/', 'usr/bin/'].map(directory),
  file('etc/a', 'a', { uid: 1000, gid: 1001 }),
  file('etc/d/1', '1'),
  file('opaque/1', '1'),
  file('opaque/2', '2'),
  file('usr/bin/ping', 'p', { mode: 0o4755, xattrs: new Map([['security.capability', capability]]) }),
  { header: { ...time, name: 'usr/bin/ping6', type: 'link', linkname: 'usr/bin/ping' } },
  { header: { ...time, name: 'sh', type: 'symlink', linkname: 'usr/bin/ping' } },
  { header: { ...time, name: 'null', type: 'character-device', deviceMajor: 1, deviceMinor: 3 } },
];

/** An edited bundle of an image in a layout. */
async function editedBundle(place: string): Promise<{ readonly layout: string; readonly bundle: string }> {
  const layout = join(place, 'layout');
  const bundle = join(place, 'bundle');
  await using store = await createLayout(layout);
  await writeImage(store, { layers: [await buildLayer(entries)], name: 'base', config: { Cmd: ['/sh'] } });
  await unpack(await store.image('base'), bundle);
  const at = (path: string): string => join(bundle, 'rootfs', path);
  await appendFile(at('etc/a'), 'more');
  await rename(at('etc/d'), at('moved'));
  await rm(at('opaque'), { recursive: true });
  await mkdir(at('opaque'));
  await writeFile(at('opaque/3'), '3');
  await link(at('usr/bin/ping'), at('usr/bin/ping7'));
  await symlink('../nowhere', at('dangling'));
  await rm(at('sh'));
  await mkdir(at('sh'));
  await chmod(at('null'), 0o600);
  return { layout, bundle };
}

const skip = missing({ root: true, commands: ['umoci', 'tar'] });

describe('a repacked image', { skip }, () => {
  // This umoci reads no zstd.
  for (const format of ['gzip', 'estargz'] as const) {
    test(`in ${format} is unpacked by umoci to the edited tree`, async () => {
      await using place = await temporaryDirectory();
      const { layout, bundle } = await editedBundle(place.path);
      await using store = await openLayout(layout);
      await repack(bundle, store, { base: await store.image('base'), name: 'new', format });
      const target = join(place.path, 'umoci');
      await output('umoci', ['unpack', '--image', `${layout}:new`, target]);
      const extra = new Set(['.no.prefetch.landmark', 'stargz.index.json']);
      const theirs = (await describeTree(join(target, 'rootfs'))).filter(({ path }) => !extra.has(path));
      const differences = compareTrees(await describeTree(join(bundle, 'rootfs')), theirs);
      assert.deepEqual(differences, []);
    });
  }

  test('exported and unpacked by GNU tar is the edited tree', async () => {
    await using place = await temporaryDirectory();
    const { layout, bundle } = await editedBundle(place.path);
    await using store = await openLayout(layout);
    await repack(bundle, store, { base: await store.image('base'), name: 'new' });
    const archive = join(place.path, 'rootfs.tar');
    for await (const chunk of writeTar(exportImage(await store.image('new'))))
      await appendFile(archive, chunk);
    const target = join(place.path, 'tar');
    await mkdir(target);
    await output('tar', [
      '--xattrs',
      '--xattrs-include=*',
      '--numeric-owner',
      '--delay-directory-restore',
      '-xpf',
      archive,
      '-C',
      target,
    ]);
    assert.deepEqual(
      compareTrees(await describeTree(join(bundle, 'rootfs')), await describeTree(target)),
      [],
    );
  });
});

test('a repack that is killed leaves the layout clean, and can be repeated', { skip }, async () => {
  await using place = await temporaryDirectory();
  const { layout, bundle } = await editedBundle(place.path);
  // Something to compress, so that there is a moment to be killed in.
  await writeFile(join(bundle, 'rootfs/large'), Buffer.alloc(24 * 1024 * 1024, 'some text that repeats. '));
  const run = (name: string) =>
    spawn(process.execPath, [ociProgram, 'repack', bundle, `oci:${layout}:${name}`], { stdio: 'ignore' });
  const started = performance.now();
  const [whole] = await once(run('whole'), 'close');
  assert.equal(whole, 0);
  const length = performance.now() - started;
  for (let round = 0; round < 6; round += 1) {
    const child = run(`killed-${round}`);
    const closed = once(child, 'close');
    await Promise.race([sleep((length * (round + 1)) / 7), closed]);
    child.kill('SIGKILL');
    await closed;
    await using store = await openLayout(layout);
    const { problems } = await checkStore(store);
    assert.deepEqual(problems, [], `killed in round ${round}`);
    const names = (await store.list()).map(({ name }) => name);
    // It is there as a whole, or not at all.
    if (names.includes(`killed-${round}`))
      assert.equal((await store.resolve(`killed-${round}`))?.digest, (await store.resolve('whole'))?.digest);
  }
  const [again] = await once(run('again'), 'close');
  assert.equal(again, 0);
  await using store = await openLayout(layout);
  assert.equal((await store.resolve('again'))?.digest, (await store.resolve('whole'))?.digest);
  assert.deepEqual((await readdir(bundle)).sort(), ['config.json', 'oci.json', 'oci.layers', 'rootfs']);
});
