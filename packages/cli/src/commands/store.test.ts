import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { buildLayer, type Descriptor, openStore, type Store, writeImage } from '@ocijs/image';
import { openContainers } from '../containers/collection.ts';
import { writeRecord } from '../containers/record.ts';
import { type TestHome, testHome } from '../testing/oci.testkit.ts';

interface Home extends AsyncDisposable {
  readonly home: TestHome;
  readonly store: Store;
  readonly image: Descriptor;
  json(...args: readonly string[]): Promise<unknown>;
}

const name = 'docker.io/library/app:latest';

async function start(): Promise<Home> {
  const home = await testHome();
  const store = await openStore(join(home.directory, 'store'));
  const layer = await buildLayer([
    { header: { name: 'a', type: 'file', mode: 0o644 }, body: Buffer.from('a') },
  ]);
  const image = await writeImage(store, { layers: [layer], name });
  return {
    home,
    store,
    image,
    async json(...args) {
      const { status, stdout, stderr } = await home.oci(...args, '--json');
      assert.equal(status, 0, stderr + stdout);
      return JSON.parse(stdout);
    },
    [Symbol.asyncDispose]: () => home[Symbol.asyncDispose](),
  };
}

async function addContainer(store: Store, digest: string): Promise<void> {
  const id = 'c'.repeat(64);
  const directory = await openContainers(store.directory).claim(id, 'web');
  const created = new Date().toISOString();
  const facts = { command: ['sh'], root: store.directory, remove: false, bundle: directory };
  await writeRecord(directory, { id, name: 'web', image: { name, digest }, created, ...facts });
}

describe('oci tag, rmi, gc and fsck', () => {
  test('tag gives one more name, rmi takes names and then the blobs', async () => {
    await using place = await start();
    const { home, json, image, store } = place;
    assert.deepEqual(await json('tag', 'app', 'example.com/copy:1'), {
      name: 'example.com/copy:1',
      digest: image.digest,
    });
    const ambiguous = await home.oci('rmi', image.digest);
    assert.equal(ambiguous.status, 1);
    assert.match(ambiguous.stderr, /has 2 names/);
    const first = (await json('rmi', 'app')) as { removed: string[] }[];
    assert.deepEqual(first[0]?.removed, []);
    const { stdout } = await home.oci('rmi', image.digest.slice(7, 19));
    assert.match(stdout, /^untagged example\.com\/copy:1\n(removed sha256:[0-9a-f]{64}\n){3}$/);
    assert.equal(await store.size(image.digest), undefined);
    const missing = await home.oci('rmi', 'app');
    assert.deepEqual([missing.status, /see `oci images`/.test(missing.stderr)], [1, true]);
    assert.equal((await home.oci('rmi', '--force', 'app')).status, 0);
    assert.equal((await home.oci('tag', 'nothing', 'x')).status, 1);
  });

  test('the image of a container keeps its last name, and its blobs always', async () => {
    await using place = await start();
    const { home, json, image, store } = place;
    await addContainer(store, image.digest);
    const refused = await home.oci('rmi', 'app');
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /is used by container web/);
    await json('rmi', '--force', 'app');
    const { blobs } = (await json('gc', '--grace', '0')) as { blobs: { kept: boolean; reason: string }[] };
    assert.deepEqual([...new Set(blobs.map(({ reason }) => reason))], ['used by container web']);
    assert.equal(blobs.length, 3);
  });

  test('gc says why, and removes', async () => {
    await using place = await start();
    const { home, json, store } = place;
    const blob = await store.put(Buffer.from('garbage'), { mediaType: 'text/plain' });
    const young = await home.oci('gc', '--dry-run');
    assert.match(young.stdout, new RegExp(`${blob.digest} +7B +stays +younger than 24 h\n`));
    const plan = await home.oci('gc', '--dry-run', '--grace', '0');
    assert.match(plan.stdout, new RegExp(`${blob.digest} +7B +goes +unreferenced\n`));
    assert.match(plan.stdout, /stays +tagged by docker\.io\/library\/app:latest\n/);
    assert.match(plan.stdout, /1 blob of 7B would be removed, 3 blobs of \S+ kept\n$/);
    assert.equal(await store.size(blob.digest), 7);
    const done = (await json('gc', '--grace', '0s')) as { dryRun: boolean; bytesFreed: number };
    assert.deepEqual([done.dryRun, done.bytesFreed], [false, 7]);
    assert.equal(await store.size(blob.digest), undefined);
    assert.equal((await home.oci('gc', '--grace', 'soon')).status, 2);
  });

  test('fsck exits with 1, names what is damaged or missing, and repairs', async () => {
    await using place = await start();
    const { home, image, store } = place;
    const clean = await home.oci('fsck');
    assert.deepEqual([clean.status, /is sound: 3 blobs/.test(clean.stdout)], [0, true]);
    const { config, layers } = (await store.image(image)).manifest;
    await writeFile(store.file(config.digest), '{}');
    await rm(store.file(layers[0]?.digest ?? config.digest));
    await mkdir(join(store.directory, 'stray'));
    const found = await home.oci('fsck', '--repair');
    assert.equal(found.status, 1);
    assert.match(found.stdout, new RegExp(`^damaged-blob: blob ${config.digest} .*; moved to quarantine/`));
    assert.match(found.stdout, new RegExp(`missing-blob: layer ${layers[0]?.digest} .*needed by ${name}\n`));
    assert.match(found.stdout, /stray-file: stray is no part of a store\n/);
    const { status, stdout } = await home.oci('fsck', '--json');
    const report = JSON.parse(stdout) as { sound: boolean; problems: { kind: string }[] };
    assert.deepEqual([status, report.sound], [1, false]);
    assert.deepEqual(
      report.problems.map(({ kind }) => kind),
      ['missing-blob', 'missing-blob', 'stray-file'],
    );
  });
});
