import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { digestBytes } from '../digest/hasher.ts';
import { storeFailure } from './failure.ts';
import { createLayout, openLayout, openStore } from './open.ts';
import { scratch } from './scratch.testkit.ts';

const mediaType = 'application/octet-stream';
const run = promisify(execFile);
const asRoot = process.getuid?.() === 0;

test('a new store is an image layout that only its user may read', async () => {
  await using place = await scratch();
  const directory = join(place.directory, 'deep', 'store');
  await using store = await openStore(directory);
  assert.equal(store.directory, directory);
  assert.deepEqual(JSON.parse(await readFile(join(directory, 'oci-layout'), 'utf8')), {
    imageLayoutVersion: '1.0.0',
  });
  assert.deepEqual(JSON.parse(await readFile(join(directory, 'index.json'), 'utf8')), {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [],
  });
  const blob = await store.put(Buffer.from('x'), { mediaType });
  const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;
  assert.equal(await modeOf(directory), 0o700);
  assert.equal(await modeOf(join(directory, 'blobs')), 0o700);
  assert.equal(await modeOf(join(directory, 'index.json')), 0o600);
  assert.equal(await modeOf(store.file(blob.digest)), 0o600);
});

test('a store opens again with what was in it, and by OCI_STORE', async () => {
  await using place = await scratch();
  {
    await using store = await openStore(place.directory);
    await store.tag('docker.io/library/a:1', await store.put(Buffer.from('a'), { mediaType }));
  }
  await using again = await openStore(undefined, { env: { OCI_STORE: place.directory } });
  assert.deepEqual(
    (await again.list()).map(({ name }) => name),
    ['docker.io/library/a:1'],
  );
});

test('a layout to be handed on follows the umask and has nothing in it but the layout', async () => {
  await using place = await scratch();
  const directory = join(place.directory, 'layout');
  {
    await using layout = await createLayout(directory);
    await layout.tag('v1', await layout.put(Buffer.from('a'), { mediaType }));
  }
  assert.deepEqual((await readdir(directory)).sort(), ['blobs', 'index.json', 'oci-layout']);
  assert.equal((await stat(directory)).mode & 0o777, 0o777 & ~process.umask());
});

test('what is no layout is refused, and left as it is', async () => {
  await using place = await scratch();
  const { directory } = place;
  await assert.rejects(openLayout(directory), { code: 'ERR_OCI_STORE_INVALID' });
  await assert.rejects(openLayout(join(directory, 'missing')), { code: 'ERR_OCI_STORE_INVALID' });
  await writeFile(join(directory, 'notes.txt'), 'mine');
  for (const open of [openStore, createLayout])
    await assert.rejects(open(directory), {
      code: 'ERR_OCI_STORE_INVALID',
      message: `${directory} is not empty and not an image layout`,
    });
  assert.deepEqual(await readdir(directory), ['notes.txt']);
  for (const open of [openStore, openLayout, createLayout])
    await assert.rejects(open(join(directory, 'notes.txt')), { code: 'ERR_OCI_STORE_INVALID' });
});

test('a layout of another version, or with a damaged file, is refused', async () => {
  await using place = await scratch();
  const { directory } = place;
  const cases = [
    ['{"imageLayoutVersion":"2.0.0"}', '{"schemaVersion":2,"manifests":[]}', /unknown layout version/],
    ['{}', '{"schemaVersion":2,"manifests":[]}', /unknown layout version/],
    ['nonsense', '{"schemaVersion":2,"manifests":[]}', /oci-layout is not valid JSON/],
    ['{"imageLayoutVersion":"1.0.0"}', '', /index\.json is not the index/],
    ['{"imageLayoutVersion":"1.0.0"}', '[]', /index\.json is not the index/],
    ['{"imageLayoutVersion":"1.0.0"}', '{"schemaVersion":2,"manifests":[{}]}', /\$\.manifests\[0\]/],
    ['{"imageLayoutVersion":"1.0.0"}', '{"schemaVersion":2}', /\$\.manifests is not an array/],
    ['{"imageLayoutVersion":"1.0.0"}', '{"schemaVersion":1,"manifests":[]}', /schemaVersion/],
  ] as const;
  for (const [marker, index, message] of cases) {
    await writeFile(join(directory, 'oci-layout'), marker);
    await writeFile(join(directory, 'index.json'), index);
    await assert.rejects(openLayout(directory), { code: 'ERR_OCI_STORE_INVALID', message });
  }
  await rm(join(directory, 'index.json'));
  await assert.rejects(openLayout(directory), { code: 'ERR_OCI_STORE_INVALID', message: /no index\.json/ });
});

test('the null that Go programs write for an empty list is one', async () => {
  await using place = await scratch();
  await writeFile(join(place.directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(join(place.directory, 'index.json'), '{"schemaVersion":2,"manifests":null}');
  await using layout = await openLayout(place.directory);
  assert.deepEqual(await layout.entries(), []);
});

test('naming keeps what others wrote into index.json', async () => {
  await using place = await scratch();
  await using store = await openStore(place.directory);
  const blob = await store.put(Buffer.from('a'), { mediaType });
  const path = join(place.directory, 'index.json');
  const other = { ...blob, 'x-note': [1, { a: null }], annotations: { 'org.example': 'kept' } };
  await writeFile(
    path,
    JSON.stringify({ schemaVersion: 2, 'x-top': true, manifests: [other], annotations: { a: 'b' } }),
  );
  await store.tag('new', blob);
  assert.deepEqual(JSON.parse(await readFile(path, 'utf8')), {
    schemaVersion: 2,
    'x-top': true,
    annotations: { a: 'b' },
    manifests: [other, { ...blob, annotations: { 'org.opencontainers.image.ref.name': 'new' } }],
  });
  assert.equal((await store.entries()).length, 2);
  assert.equal(await store.untag('new'), true);
  assert.deepEqual(JSON.parse(await readFile(path, 'utf8')).manifests, [other]);
});

test('a name has one meaning, in its old place; other names of the same image stay', async () => {
  await using place = await scratch();
  await using store = await openStore(place.directory);
  const a = await store.put(Buffer.from('a'), { mediaType });
  const b = await store.put(Buffer.from('b'), { mediaType });
  await store.tag('one', { ...a, annotations: { note: 'x' } });
  await store.tag('two', a);
  await store.tag('one', b);
  assert.deepEqual(
    (await store.list()).map(({ name, descriptor }) => [name, descriptor.digest]),
    [
      ['one', b.digest],
      ['two', a.digest],
    ],
  );
  assert.equal((await store.resolve('one'))?.digest, b.digest);
  assert.equal(await store.resolve('three'), undefined);
  assert.equal(await store.untag('three'), false);
  assert.equal(await store.untag('one'), true);
  assert.deepEqual(
    (await store.list()).map(({ name }) => name),
    ['two'],
  );
});

test('only what the store has can be named, and only by what can be a name', async () => {
  await using place = await scratch();
  await using store = await openStore(place.directory);
  const missing = { mediaType, digest: digestBytes(Buffer.from('?')), size: 1 };
  await assert.rejects(store.tag('x', missing), { code: 'ERR_OCI_BLOB_NOT_FOUND' });
  const blob = await store.put(Buffer.from('a'), { mediaType });
  for (const name of ['', 'a b', 'a\n', 'ü', 'x'.repeat(1025)])
    await assert.rejects(store.tag(name, blob), { code: 'ERR_OCI_REFERENCE_INVALID' });
});

test('a damaged blob never ends a read cleanly; storing it again with reset repairs it', async () => {
  await using place = await scratch();
  await using store = await openStore(place.directory);
  const bytes = Buffer.alloc(300_000, 'b');
  const blob = await store.put(bytes, { mediaType });
  const flipped = Buffer.from(bytes);
  flipped[299_999] = 0;
  await writeFile(store.file(blob.digest), flipped);
  await assert.rejects(store.readAll(blob), { code: 'ERR_OCI_DIGEST_MISMATCH' });
  await writeFile(store.file(blob.digest), bytes.subarray(1));
  await assert.rejects(store.readAll(blob), { code: 'ERR_OCI_SIZE_MISMATCH' });
  // The size tells that it is damaged: it is simply stored again.
  await store.put(bytes, { mediaType });
  await store.readAll(blob);
});

test('partial bytes that do not belong to the blob are found out, and larger ones dropped', async () => {
  await using place = await scratch();
  await using store = await openStore(place.directory);
  const bytes = Buffer.alloc(1000, 'c');
  const blob = { mediaType, digest: digestBytes(bytes), size: 1000 };
  const partial = join(place.directory, 'ingest', blob.digest.replace(':', '-'));
  await writeFile(partial, 'x'.repeat(400));
  {
    await using ingest = await store.ingest(blob);
    assert.equal(ingest.offset, 400);
    await ingest.write(bytes.subarray(400));
    await assert.rejects(ingest.commit(), { code: 'ERR_OCI_DIGEST_MISMATCH' });
  }
  assert.deepEqual(await readdir(join(place.directory, 'ingest')), []);
  await writeFile(partial, 'x'.repeat(1001));
  await using again = await store.ingest(blob);
  assert.equal(again.offset, 0);
});

test('a layout from elsewhere cannot lead writes out of it, nor make us wait', async () => {
  await using place = await scratch();
  const outside = join(place.directory, 'outside');
  await mkdir(outside);
  await writeFile(join(outside, 'precious'), 'precious');
  const directory = join(place.directory, 'layout');
  await using layout = await createLayout(directory);
  const bytes = Buffer.from('new content');
  const blob = { mediaType, digest: digestBytes(bytes), size: bytes.length };

  const ingest = join(directory, 'ingest');
  await rm(ingest, { recursive: true });
  await symlink(outside, ingest);
  await assert.rejects(layout.put(bytes, { mediaType }), { code: 'ERR_OCI_STORE_INVALID' });

  await rm(ingest);
  await mkdir(ingest);
  await symlink(join(outside, 'precious'), join(ingest, blob.digest.replace(':', '-')));
  await symlink(join(outside, 'precious'), join(ingest, 'index.json'));
  await layout.tag('name', await layout.put(bytes, { mediaType }));
  assert.deepEqual(await readdir(outside), ['precious']);
  assert.equal(await readFile(join(outside, 'precious'), 'utf8'), 'precious');

  const fifo = digestBytes(Buffer.from('fifo'));
  await run('mkfifo', [layout.file(fifo)]);
  await assert.rejects(layout.readAll({ mediaType, digest: fifo, size: 4 }), {
    code: 'ERR_OCI_STORE_INVALID',
  });
});

test('a digest never becomes a path outside of the store', async () => {
  await using place = await scratch();
  await using store = await openStore(place.directory);
  const digest = 'sha256:../../oci-layout' as ReturnType<typeof digestBytes>;
  assert.throws(() => store.file(digest), { code: 'ERR_OCI_DIGEST_INVALID' });
  await assert.rejects(store.size(digest), { code: 'ERR_OCI_DIGEST_INVALID' });
});

test('reading a layout changes nothing in it', async () => {
  await using place = await scratch();
  {
    await using layout = await createLayout(place.directory);
    await layout.tag('v1', await layout.put(Buffer.from('a'), { mediaType }));
  }
  const before = await readdir(place.directory, { recursive: true });
  {
    await using layout = await openLayout(place.directory);
    for (const { descriptor } of await layout.list()) await layout.readAll(descriptor);
  }
  assert.deepEqual(await readdir(place.directory, { recursive: true }), before);
});

test('without permission the error says where and what to do', {
  skip: asRoot ? 'root may do all' : false,
}, async () => {
  await using place = await scratch();
  await chmod(place.directory, 0o500);
  await assert.rejects(openStore(join(place.directory, 'store')), {
    code: 'ERR_OCI_STORE_DENIED',
    hint: /OCI_STORE/,
  });
});

test('a full file system is told from others, and what was written is kept', async (t) => {
  await using place = await scratch();
  const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', place.directory]).then(
    () => true,
    () => false,
  );
  if (!mounted) return t.skip('needs root and mount(2)');
  try {
    await using store = await openStore(place.directory);
    const bytes = Buffer.alloc(1_000_000);
    await using ingest = await store.ingest({ mediaType, digest: digestBytes(bytes), size: bytes.length });
    await ingest.write(bytes.subarray(0, 100_000));
    await assert.rejects(ingest.write(bytes.subarray(100_000)), {
      code: 'ERR_OCI_STORE_FULL',
      hint: /space/,
    });
    assert.equal(ingest.offset, 100_000);
  } finally {
    await run('umount', [place.directory]);
  }
});

test('what the file system says is worded once', () => {
  const failed = (code: string): Error =>
    Object.assign(new Error(code), { code, syscall: 'open', path: '/store/x' });
  const coded = (error: unknown): unknown => (error as { code?: unknown }).code;
  assert.equal(coded(storeFailure(failed('EACCES'), '/store')), 'ERR_OCI_STORE_DENIED');
  assert.equal(coded(storeFailure(failed('EROFS'), '/store')), 'ERR_OCI_STORE_DENIED');
  assert.equal(coded(storeFailure(failed('ENOSPC'), '/store')), 'ERR_OCI_STORE_FULL');
  assert.equal(coded(storeFailure(failed('EDQUOT'), '/store')), 'ERR_OCI_STORE_FULL');
  assert.equal(coded(storeFailure(failed('EIO'), '/store')), 'ERR_OCI_STORE_FAILED');
  const other = new Error('other');
  assert.equal(storeFailure(other, '/store'), other);
});
