import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeImage } from '../build/image.ts';
import { buildLayer } from '../build/layer.ts';
import type { Descriptor } from '../descriptor.ts';
import { directorySink } from '../directory-transport/directory-sink.ts';
import { openDirectory } from '../directory-transport/open-directory.ts';
import { parseManifest } from '../manifest/manifest.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import { scratch } from '../store/scratch.testkit.ts';
import type { ImageSink } from '../transport/sink.ts';
import { validateImage } from '../validate/validate-image.ts';
import { archiveSink } from './archive-sink.ts';
import { openArchive } from './open-archive.ts';

const store = createMemoryStore();

async function makeImage(text: string, compression: 'gzip' | 'none' = 'none'): Promise<Descriptor> {
  const layers = [await buildLayer([{ header: { name: 'a' }, body: Buffer.from(text) }], { compression })];
  return writeImage(store, { layers, platform: { os: 'linux', architecture: 'amd64' } });
}

async function fill(sink: ImageSink, image: Descriptor, name?: string): Promise<void> {
  const raw = await store.readAll(image);
  const { config, layers } = parseManifest(raw);
  for (const blob of [config, ...layers])
    if (!(await sink.has(blob))) await sink.writeBlob(blob, store.read(blob));
  await sink.writeManifest(image, raw);
  await sink.add(image, name);
}

test("an archive of Docker's is also a layout, with all names in both", async () => {
  await using made = await scratch();
  const file = join(made.directory, 'a.tar');
  const images = [await makeImage('one'), await makeImage('two')] as const;
  {
    await using sink = await archiveSink(file, { format: 'docker' });
    await fill(sink, images[0], 'docker.io/library/one:1');
    await fill(sink, images[0], 'docker.io/library/uno:1');
    await fill(sink, images[1], 'example.com/two:2');
    await sink.commit();
  }
  for (const format of ['docker', 'oci'] as const) {
    await using archive = await openArchive(file, { format });
    assert.deepEqual(
      (await archive.list()).map(({ name }) => name),
      ['docker.io/library/one:1', 'docker.io/library/uno:1', 'example.com/two:2'],
    );
    for (const name of ['one:1', 'uno:1', 'example.com/two:2'])
      assert.deepEqual(await validateImage(await archive.image(name)), []);
  }
});

test('equal images give equal archives', async () => {
  await using made = await scratch();
  const image = await makeImage('same');
  const write = async (name: string): Promise<Buffer> => {
    await using sink = await archiveSink(join(made.directory, name), { format: 'oci' });
    await fill(sink, image, 'v1');
    await sink.commit();
    return readFile(join(made.directory, name));
  };
  assert.deepEqual(await write('a'), await write('b'));
});

test('without a commit, what was there before is still there, and nothing else', async () => {
  await using made = await scratch();
  const file = join(made.directory, 'a.tar');
  await writeFile(file, 'before');
  {
    await using sink = await archiveSink(file, { format: 'oci' });
    await fill(sink, await makeImage('x'));
  }
  assert.equal(await readFile(file, 'utf8'), 'before');
  assert.deepEqual(await readdir(made.directory), ['a.tar']);
});

test('a directory is refused before anything is written', async () => {
  await using made = await scratch();
  const opened = archiveSink(made.directory, { format: 'oci' });
  await assert.rejects(opened, { code: 'ERR_OCI_ARCHIVE_FAILED', message: /is a directory/ });
  assert.deepEqual(await readdir(made.directory), []);
});

test('a failing output ends the writing with its own error', async () => {
  const broken = new Error('no more room');
  await using sink = await archiveSink(async () => Promise.reject(broken), { format: 'oci' });
  await assert.rejects(async () => {
    await fill(sink, await makeImage('x'.repeat(3_000_000)));
    await sink.commit();
  }, broken);
});

test('a wrong blob fails the archive', async () => {
  await using made = await scratch();
  const image = await makeImage('y');
  const { config } = parseManifest(await store.readAll(image));
  await using sink = await archiveSink(join(made.directory, 'a.tar'), { format: 'oci' });
  const wrong = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.alloc(config.size);
  };
  await assert.rejects(sink.writeBlob(config, wrong()), { code: 'ERR_OCI_DIGEST_MISMATCH' });
});

test("Docker's form refuses compressed layers", async () => {
  await using made = await scratch();
  await using sink = await archiveSink(join(made.directory, 'a.tar'), { format: 'docker' });
  await fill(sink, await makeImage('z', 'gzip'), 'z');
  await assert.rejects(sink.commit(), { code: 'ERR_OCI_ARCHIVE_INVALID' });
});

test('a directory holds the last image that was written into it', async () => {
  await using made = await scratch();
  const directory = join(made.directory, 'dir');
  for (const text of ['first', 'second']) {
    await using sink = await directorySink(directory);
    await fill(sink, await makeImage(text, 'gzip'));
    await sink.commit();
  }
  await using found = await openDirectory(directory);
  const [top] = await found.entries();
  assert.ok(top);
  assert.equal(top.digest, (await makeImage('second', 'gzip')).digest);
  assert.deepEqual(await validateImage(await found.image(top)), []);
  assert.equal((await readdir(directory)).length, 4);
});

test('a directory with other things in it is refused', async () => {
  await using made = await scratch();
  await writeFile(join(made.directory, 'letter'), '');
  await assert.rejects(directorySink(made.directory), { code: 'ERR_OCI_ARCHIVE_INVALID' });
  await assert.rejects(openDirectory(made.directory), { code: 'ERR_OCI_ARCHIVE_INVALID' });
});
