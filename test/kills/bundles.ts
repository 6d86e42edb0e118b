import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unpack } from '@ocijs/bundle';
import { buildLayer, checkStore, collectGarbage, openStore, writeImage } from '@ocijs/image';
import { compareTrees, describeTree } from '../kit/tree.ts';
import { createKiller, duration, run, startVictim } from './process.ts';
import type { Scenario } from './scenarios.ts';

const name = 'example.com/app:v1';
const edited = 'example.com/app:v2';

/** Two layers, large enough for threads to share them, with many files. */
async function makeStore(directory: string): Promise<void> {
  await using store = await openStore(directory);
  const noise = { header: { name: 'noise' }, body: randomBytes(5 * 1024 * 1024) };
  const files = Array.from({ length: 1500 }, (_, index) => ({
    header: { name: `d${index % 30}/f${index}`, mode: 0o640 },
    body: Buffer.from(`file ${index}`),
  }));
  const changes = Array.from({ length: 300 }, (_, index) => ({
    header: { name: `d${index % 30}/${index % 2 === 0 ? '.wh.' : ''}f${index}` },
    body: Buffer.from(index % 2 === 0 ? '' : 'changed'),
  }));
  const layers = [await buildLayer([noise, ...files]), await buildLayer(changes)];
  await writeImage(store, { name, layers, config: { Cmd: ['/bin/true'] } });
}

async function isSound(directory: string): Promise<void> {
  await using store = await openStore(directory);
  assert.deepEqual((await checkStore(store)).problems, [], `${directory} is sound`);
}

const unpacking: Scenario = {
  name: 'unpack',
  async prepare(directory) {
    const store = join(directory, 'store');
    await makeStore(store);
    const place = join(directory, 'bundles');
    const target = join(place, 'target');
    await mkdir(place);
    const kill = createKiller(await duration('unpack', store, target));
    const expected = await describeTree(join(target, 'rootfs'));
    const isWhole = async (): Promise<void> => {
      assert.deepEqual(compareTrees(await describeTree(join(target, 'rootfs')), expected), []);
      for (const part of ['config.json', 'oci.json', 'oci.layers/0', 'oci.layers/1'])
        assert.ok(existsSync(join(target, part)), part);
    };
    return {
      async attempt() {
        await rm(target, { recursive: true, force: true });
        const killed = await kill(startVictim('unpack', store, target));
        // All of it, or nothing.
        if (existsSync(target)) await isWhole();
        else await run('unpack', store, target);
        await isWhole();
        await rm(target, { recursive: true });
        await run('unpack', store, target);
        assert.deepEqual(
          await readdir(place),
          ['target'],
          'what the killed process left is removed by the next',
        );
        await isSound(store);
        return killed;
      },
      [Symbol.asyncDispose]: async () => undefined,
    };
  },
};

const repacking: Scenario = {
  name: 'repack',
  async prepare(directory) {
    const path = join(directory, 'store');
    await makeStore(path);
    const bundle = join(directory, 'bundle');
    {
      await using store = await openStore(path);
      await unpack(await store.image(name), bundle);
    }
    await writeFile(join(bundle, 'rootfs/new'), randomBytes(4 * 1024 * 1024));
    for (let index = 1; index < 300; index += 2)
      await writeFile(join(bundle, `rootfs/d${index % 30}/f${index}`), `again ${index}`);
    /** Forgets the new image. */
    const renew = async (): Promise<number> => {
      await using store = await openStore(path);
      await store.untag(edited);
      const { blobs } = await collectGarbage(store, { graceMs: 0 });
      return blobs.filter(({ kept }) => kept).length;
    };
    const kept = await renew();
    const kill = createKiller(await duration('repack', path, bundle, name, edited));
    const expected = await run('repack', path, bundle, name, edited);
    const before = await describeTree(join(bundle, 'rootfs'));
    return {
      async attempt() {
        assert.equal(await renew(), kept, 'nothing but the image that was there is left');
        const killed = await kill(startVictim('repack', path, bundle, name, edited));
        await isSound(path);
        assert.deepEqual(compareTrees(await describeTree(join(bundle, 'rootfs')), before), []);
        assert.equal(await run('repack', path, bundle, name, edited), expected);
        await isSound(path);
        return killed;
      },
      [Symbol.asyncDispose]: async () => undefined,
    };
  },
};

/** What makes root file systems, and images of them. */
export const bundleScenarios: readonly Scenario[] = [unpacking, repacking];
