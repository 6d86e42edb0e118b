import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { writeImage } from '../build/image.ts';
import { buildLayer } from '../build/layer.ts';
import { hostPlatform } from '../platform/host.ts';
import { validateImage } from '../validate/validate-image.ts';
import { openLayout, openStore } from './open.ts';
import { scratch } from './scratch.testkit.ts';
import type { ImageStore } from './store.ts';

const run = promisify(execFile);

function missing(tool: string): string | false {
  return spawnSync(tool, ['--version']).error === undefined ? false : `${tool} is not installed`;
}

async function writeSample(store: ImageStore, name: string): Promise<string> {
  const lower = await buildLayer([
    { header: { name: 'etc/', type: 'directory' } },
    { header: { name: 'etc/hostname' }, body: Buffer.from('sample\n') },
  ]);
  const upper = await buildLayer([{ header: { name: 'etc/.wh.hostname' } }], {
    createdBy: 'RUN rm /etc/hostname',
  });
  const layers = [lower, upper];
  return (await writeImage(store, { layers, name, config: { Cmd: ['/bin/true'] } })).digest;
}

test('skopeo reads the store, under a full name', { skip: missing('skopeo') }, async () => {
  await using place = await scratch();
  await using store = await openStore(place.directory);
  for (const name of ['docker.io/library/sample:1.0', 'v1']) {
    const digest = await writeSample(store, name);
    const { stdout } = await run('skopeo', ['inspect', `oci:${place.directory}:${name}`]);
    const { Digest, Os, Architecture, Layers } = JSON.parse(stdout);
    const { os, architecture } = hostPlatform();
    assert.deepEqual([Digest, Os, Architecture, Layers.length], [digest, os, architecture, 2]);
  }
});

test('umoci reads the store', { skip: missing('umoci') }, async () => {
  await using place = await scratch();
  await using store = await openStore(place.directory);
  await writeSample(store, 'v1');
  await writeSample(store, 'v2');
  const { stdout: list } = await run('umoci', ['ls', '--layout', place.directory]);
  assert.deepEqual(list.trim().split('\n').sort(), ['v1', 'v2']);
  const { stdout } = await run('umoci', ['stat', '--json', '--image', `${place.directory}:v1`]);
  const { history } = JSON.parse(stdout) as { history: { created_by: string; layer: unknown }[] };
  assert.deepEqual(
    history.map((line) => line.created_by),
    ['oci build', 'RUN rm /etc/hostname'],
  );
  // It changes the index too; both go on from what the other wrote.
  await run('umoci', ['tag', '--image', `${place.directory}:v1`, 'v3']);
  await store.tag('v4', (await store.image('v3')).descriptor);
  const { stdout: after } = await run('umoci', ['ls', '--layout', place.directory]);
  assert.deepEqual(after.trim().split('\n').sort(), ['v1', 'v2', 'v3', 'v4']);
});

test('what umoci begins, we continue', { skip: missing('umoci') }, async () => {
  await using place = await scratch();
  const directory = join(place.directory, 'layout');
  await run('umoci', ['init', '--layout', directory]);
  await using layout = await openLayout(directory);
  assert.deepEqual(await layout.list(), []);
  await writeSample(layout, 'ours');
  await run('umoci', ['new', '--image', `${directory}:theirs`]);
  assert.deepEqual((await layout.list()).map(({ name }) => name).sort(), ['ours', 'theirs']);
  assert.deepEqual(await validateImage(await layout.image('theirs')), []);
});

test('layouts that skopeo writes are opened and right', { skip: missing('skopeo') }, async () => {
  await using place = await scratch();
  const ours = join(place.directory, 'ours');
  await using store = await openStore(ours);
  await writeSample(store, 'v1');
  const policy = '--insecure-policy';
  const archive = join(place.directory, 'image.tar');
  await run('skopeo', [policy, 'copy', `oci:${ours}:v1`, `docker-archive:${archive}:sample:v1`]);
  const theirs = join(place.directory, 'theirs');
  for (const name of ['a', 'b'])
    await run('skopeo', [policy, 'copy', `docker-archive:${archive}`, `oci:${theirs}:${name}`]);
  await run('skopeo', [
    policy,
    'copy',
    '--dest-compress-format',
    'zstd',
    `oci:${ours}:v1`,
    `oci:${theirs}:zstd`,
  ]);
  await using layout = await openLayout(theirs);
  assert.deepEqual(
    (await layout.list()).map(({ name }) => name),
    ['a', 'b', 'zstd'],
  );
  for (const { name } of await layout.list()) {
    const image = await layout.image(name);
    assert.equal(image.manifest.layers.length, 2);
    assert.deepEqual(await validateImage(image), [], name);
  }
});
