import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildLayer, openStore, validateImage, writeImage } from '@ocijs/image';
import { type CopySourceLocation, copy } from '@ocijs/registry';
import { output } from '../kit/command.ts';
import { oci, ociHome, ociProgram } from '../kit/oci.ts';
import { missing } from '../kit/requirements.ts';
import { temporaryDirectory } from '../kit/temporary.ts';

const skip = missing({ commands: ['skopeo'] });
const name = 'example.com/team/app:v1';

/** A store with an image of two layers, and room for files beside it. */
async function scene() {
  const temporary = await temporaryDirectory();
  const home = ociHome(temporary.path);
  await using store = await openStore(home.store);
  const layers = [
    await buildLayer([{ header: { name: 'a' }, body: Buffer.alloc(300_000, 'a') }], { compression: 'gzip' }),
    await buildLayer([{ header: { name: 'b' }, body: Buffer.from('b') }], { compression: 'gzip' }),
  ];
  const descriptor = await writeImage(store, { layers, name, config: { Cmd: ['/a'] } });
  const diffIds = layers.map(({ diffId }) => diffId);
  const file = (path: string): string => join(temporary.path, path);
  /** Reads an image back through a new store, checked. */
  const read = async (from: CopySourceLocation): Promise<{ digest: string; diffIds: readonly string[] }> => {
    await using other = await openStore(file(`checked-${Math.random()}`));
    const { digest } = await copy(from, { transport: 'store', store: other, name: 'checked' });
    const image = await other.image('docker.io/library/checked:latest');
    assert.deepEqual(await validateImage(image), []);
    return { digest, diffIds: image.config.rootfs.diff_ids };
  };
  const run = async (...args: readonly string[]): Promise<string> => {
    const { status, stdout, stderr } = await oci(home, ['--progress', 'none', ...args]);
    assert.equal(status, 0, stderr);
    return stdout;
  };
  return {
    home,
    descriptor,
    diffIds,
    file,
    read,
    run,
    [Symbol.asyncDispose]: () => temporary[Symbol.asyncDispose](),
  };
}

test('skopeo reads the archive of oci save, and its copy has the same layers', { skip }, async () => {
  await using made = await scene();
  await made.run('save', name, '-o', made.file('a.tar'));
  const inspected = JSON.parse(
    await output('skopeo', ['inspect', `docker-archive:${made.file('a.tar')}:${name}`]),
  );
  assert.deepEqual(inspected.Layers, made.diffIds);
  await output('skopeo', ['copy', `docker-archive:${made.file('a.tar')}`, `oci:${made.file('layout')}:x`]);
  const copied = await made.read({ transport: 'oci', directory: made.file('layout') });
  assert.deepEqual(copied.diffIds, made.diffIds);
  const raw = await output('skopeo', ['inspect', '--raw', `oci-archive:${made.file('a.tar')}:v1`]);
  assert.equal(JSON.parse(raw).layers[0].digest, made.diffIds[0]);
});

test('oci load reads the archive that skopeo writes for Docker', { skip }, async () => {
  await using made = await scene();
  await made.run('copy', name, `oci:${made.file('layout')}:v1`);
  const archive = `docker-archive:${made.file('a.tar')}:example.com/b:2`;
  await output('skopeo', ['copy', `oci:${made.file('layout')}:v1`, archive]);
  const other = ociHome(made.file('other'));
  const { stdout } = await oci(other, ['load', '--json', '-i', made.file('a.tar')]);
  assert.equal(JSON.parse(stdout)[0].reference, 'example.com/b:2');
  await using store = await openStore(other.store);
  const image = await store.image('example.com/b:2');
  assert.deepEqual(await validateImage(image), []);
  assert.deepEqual(image.config.rootfs.diff_ids, made.diffIds);
});

for (const [transport, target] of [
  ['oci-archive', 'a.tar:v1'],
  ['dir', 'directory'],
] as const) {
  test(`${transport}: keeps the digest through skopeo, in both directions`, { skip }, async () => {
    await using made = await scene();
    await made.run('copy', name, `${transport}:${made.file(target)}`);
    await output('skopeo', ['copy', `${transport}:${made.file(target)}`, `oci:${made.file('layout')}:v1`]);
    const there = await made.read({ transport: 'oci', directory: made.file('layout') });
    assert.equal(there.digest, made.descriptor.digest);
    const back = made.file(`back-${target}`);
    await output('skopeo', ['copy', `oci:${made.file('layout')}:v1`, `${transport}:${back}`]);
    const json = await made.run('copy', '--json', `${transport}:${back}`, 'example.com/back:1');
    assert.equal(JSON.parse(json).digest, made.descriptor.digest);
  });
}

test('umoci lists the layout that oci copy writes', { skip: missing({ commands: ['umoci'] }) }, async () => {
  await using made = await scene();
  await made.run('copy', name, `oci:${made.file('layout')}:v1`);
  assert.equal(await output('umoci', ['list', '--layout', made.file('layout')]), 'v1\n');
});

test('archives go through pipes', async () => {
  await using made = await scene();
  const env = { ...process.env, OCI_STORE: made.home.store, node: process.execPath, oci: ociProgram };
  const line =
    `"$node" "$oci" -q copy ${name} docker-archive:-:piped:1 | "$node" "$oci" copy docker-archive:-:piped:1 ` +
    `oci-archive:- | "$node" "$oci" load --name again:1 --json`;
  const [loaded] = JSON.parse(await output('sh', ['-c', line], { env }));
  assert.equal(loaded.reference, 'docker.io/library/again:1');
  const json = JSON.parse(await made.run('inspect', '--json', 'again:1'));
  assert.deepEqual(json.config.rootfs.diff_ids, made.diffIds);
});

test('every command that reads images reads archives and directories', async () => {
  await using made = await scene();
  const sources = [
    `docker-archive:${made.file('d.tar')}`,
    `oci-archive:${made.file('o.tar')}`,
    `dir:${made.file('dir')}`,
  ];
  for (const [index, source] of sources.entries()) {
    await made.run('copy', name, source);
    const { config } = JSON.parse(await made.run('inspect', '--json', source));
    assert.deepEqual(config.rootfs.diff_ids, made.diffIds);
    assert.match(await made.run('validate', source), /is valid/);
    const rootfs = made.file(`rootfs-${index}`);
    await made.run('unpack', '--rootfs-only', '--rootless', source, rootfs);
    assert.deepEqual(await readdir(rootfs), ['a', 'b']);
  }
});

test('a stream and a file of the same archive are the same image', async () => {
  await using made = await scene();
  const file = made.file('a.tar');
  await made.run('save', name, '-o', file);
  const streamed = await made.read({ transport: 'docker-archive', file: createReadStream(file) });
  assert.deepEqual(streamed, await made.read({ transport: 'docker-archive', file }));
});

test('--json and an archive on standard output exclude each other', async () => {
  await using made = await scene();
  for (const args of [
    ['save', name, '--json'],
    ['copy', name, 'oci-archive:-', '--json'],
  ])
    assert.equal((await oci(made.home, args)).status, 2);
});
