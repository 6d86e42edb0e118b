import assert from 'node:assert/strict';
import { access, mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeIndex } from '../../build/image.ts';
import type { Descriptor } from '../../descriptor.ts';
import type { Digest } from '../../digest/digest.ts';
import { digestBytes } from '../../digest/hasher.ts';
import { encodeJson } from '../../json/encode.ts';
import { MediaType } from '../../media-types.ts';
import { digestsOf, makeOld, textImage } from '../images.testkit.ts';
import { openStore } from '../open.ts';
import { scratch } from '../scratch.testkit.ts';
import type { Store } from '../store.ts';
import { collectGarbage, type GarbageReport } from './collect-garbage.ts';

const graceMs = 0;

async function allDigests(directory: string): Promise<Digest[]> {
  return (await readdir(join(directory, 'blobs', 'sha256'))).map((hex) => `sha256:${hex}` as Digest).sort();
}

function reasonOf(report: GarbageReport, digest: Digest): string | undefined {
  return report.blobs.find((blob) => blob.digest === digest)?.reason;
}

async function storeFor(): Promise<{ readonly store: Store } & AsyncDisposable> {
  const place = await scratch();
  const store = await openStore(join(place.directory, 'store'));
  return { store, [Symbol.asyncDispose]: () => place[Symbol.asyncDispose]() };
}

test('what names lead to stays, the rest goes, each with its reason', async () => {
  await using place = await storeFor();
  const { store } = place;
  const kept = await textImage(store, ['shared', 'one'], { name: 'example.com/one:1' });
  const gone = await textImage(store, ['shared', 'two']);
  const needed = await digestsOf(store, kept);
  const all = [...new Set([...needed, ...(await digestsOf(store, gone))])];

  const plan = await collectGarbage(store, { graceMs, dryRun: true });
  assert.deepEqual(await allDigests(store.directory), all.sort(), 'a dry run removes nothing');
  const done = await collectGarbage(store, { graceMs });
  assert.deepEqual(done, plan, 'and says what would be done');
  assert.deepEqual(await allDigests(store.directory), [...needed].sort());
  for (const { digest, kept: isKept, reason } of done.blobs) {
    assert.equal(isKept, needed.includes(digest));
    assert.equal(reason, isKept ? 'tagged by example.com/one:1' : 'unreferenced');
  }
  const sizes = done.blobs.filter((blob) => !blob.kept).map(({ size }) => size);
  assert.equal(
    done.bytesFreed,
    sizes.reduce((x, y) => x + y),
  );
  await store.image('example.com/one:1');
});

test('indexes within indexes, subjects and referrers stay', async () => {
  await using place = await storeFor();
  const { store } = place;
  const platform = { os: 'linux', architecture: 'amd64' } as const;
  const image = { ...(await textImage(store, ['x'])), platform };
  const inner = await writeIndex(store, { manifests: [image] });
  await writeIndex(store, { manifests: [{ ...inner, platform }], name: 'example.com/index:1' });
  const empty = await store.put(Buffer.from('{}'), { mediaType: MediaType.empty });
  const document = async (subject: Descriptor, note: string): Promise<Descriptor> => {
    const layer = await store.put(Buffer.from(note), { mediaType: 'text/plain' });
    const { mediaType, digest, size } = subject;
    const manifest = {
      schemaVersion: 2,
      mediaType: MediaType.manifest,
      artifactType: 'text/plain',
      config: empty,
      layers: [layer],
      subject: { mediaType, digest, size },
    };
    return store.put(encodeJson(manifest), { mediaType: MediaType.manifest });
  };
  const signature = await document(image, 'a signature');
  const countersignature = await document(signature, 'a signature of the signature');
  const other = await textImage(store, ['elsewhere']);
  const orphan = await document(other, 'a signature of something unreferenced');
  const before = await allDigests(store.directory);

  const report = await collectGarbage(store, { graceMs });
  assert.equal(reasonOf(report, image.digest), 'tagged by example.com/index:1');
  assert.equal(reasonOf(report, signature.digest), `refers to ${image.digest}`);
  assert.equal(reasonOf(report, countersignature.digest), `refers to ${signature.digest}`);
  assert.equal(reasonOf(report, orphan.digest), 'unreferenced');
  // The other image: manifest, config, layer; its signature: manifest, layer.
  assert.equal((await allDigests(store.directory)).length, before.length - 5);

  await store.tag('example.com/signature:1', countersignature);
  await store.untag('example.com/index:1');
  const subjects = await collectGarbage(store, { graceMs });
  assert.equal(
    reasonOf(subjects, image.digest),
    'tagged by example.com/signature:1',
    'by way of the subjects',
  );
  assert.equal(reasonOf(subjects, inner.digest), 'unreferenced');
});

test('young blobs are spared for the grace time, also when they were only taken up again', async () => {
  await using place = await storeFor();
  const { store } = place;
  const bytes = Buffer.from('soon to be named');
  const blob = await store.put(bytes, { mediaType: MediaType.layer });
  assert.equal(reasonOf(await collectGarbage(store), blob.digest), 'younger than 24 h');
  await makeOld(store, [blob.digest]);
  assert.equal(reasonOf(await collectGarbage(store, { dryRun: true }), blob.digest), 'unreferenced');
  await store.put(bytes, { mediaType: MediaType.layer });
  assert.equal(reasonOf(await collectGarbage(store), blob.digest), 'younger than 24 h');
  await makeOld(store, [blob.digest]);
  {
    await using ingest = await store.ingest(blob);
    assert.equal(ingest.offset, blob.size);
  }
  assert.equal((await collectGarbage(store)).blobs[0]?.kept, true);
});

test('a lease protects exactly what it names, and a root all that it leads to', async () => {
  await using place = await storeFor();
  const { store } = place;
  const image = await textImage(store, ['leased']);
  const contained = await textImage(store, ['used']);
  const blob = await store.put(Buffer.from('leased'), { mediaType: MediaType.layer });
  const roots = [{ digest: contained.digest, reason: 'used by container web' }];
  {
    await using _lease = await store.lease({ digests: [blob.digest], purpose: 'pull of x' });
    const report = await collectGarbage(store, { graceMs, roots });
    assert.equal(reasonOf(report, blob.digest), `in lease of pid ${process.pid}: pull of x`);
    assert.equal(reasonOf(report, image.digest), 'unreferenced');
    for (const digest of await digestsOf(store, contained))
      assert.equal(reasonOf(report, digest), 'used by container web');
  }
  await collectGarbage(store, { graceMs });
  assert.deepEqual(await allDigests(store.directory), []);
});

test('a blob that a writer holds at the moment stays', async () => {
  await using place = await storeFor();
  const { store } = place;
  const blob = await store.put(Buffer.from('held'), { mediaType: MediaType.layer });
  await using _ingest = await store.ingest(blob);
  assert.equal(reasonOf(await collectGarbage(store, { graceMs }), blob.digest), 'being written');
  await store.readAll(blob);
});

test('a document that only other programs understand keeps all that it mentions', async () => {
  await using place = await storeFor();
  const { store } = place;
  const image = await textImage(store, ['x']);
  const strange = Buffer.from(`{"schemaVersion":7,"things":[{"what":"${image.digest}"}]}`);
  const mediaType = 'application/vnd.example.future+json';
  await store.tag('example.com/future:1', await store.put(strange, { mediaType }));
  const report = await collectGarbage(store, { graceMs });
  assert.ok(report.blobs.every(({ kept }) => kept));
  assert.equal(report.blobs.length, 4);
});

test('nothing goes while a manifest that is needed is damaged', async () => {
  await using place = await storeFor();
  const { store } = place;
  const image = await textImage(store, ['x'], { name: 'example.com/x:1' });
  const before = await allDigests(store.directory);
  await writeFile(store.file(image.digest), '{}');
  await assert.rejects(collectGarbage(store, { graceMs }), {
    code: 'ERR_OCI_STORE_INVALID',
    message: `blob ${image.digest} is damaged`,
    hint: /fsck --repair/,
  });
  assert.deepEqual(await allDigests(store.directory), before);
});

test('an image with missing blobs, and one of several platforms, hinder nothing', async () => {
  await using place = await storeFor();
  const { store } = place;
  const absent = digestBytes(Buffer.from('another platform'));
  const here = await textImage(store, ['x']);
  const index = {
    schemaVersion: 2,
    mediaType: MediaType.index,
    manifests: [here, { mediaType: MediaType.manifest, digest: absent, size: 100 }],
  };
  await store.tag('example.com/x:1', await store.put(encodeJson(index), { mediaType: MediaType.index }));
  await store.put(Buffer.from('rest'), { mediaType: MediaType.layer });
  const report = await collectGarbage(store, { graceMs });
  assert.deepEqual(
    report.blobs.filter(({ kept }) => !kept).map(({ size }) => size),
    [4],
  );
});

test('blobs of an algorithm that we cannot compute, and files that are no blobs, stay', async () => {
  await using place = await storeFor();
  const { store } = place;
  const odd = join(store.directory, 'blobs', 'md5');
  await mkdir(odd);
  await writeFile(join(odd, 'd41d8cd98f00b204e9800998ecf8427e'), '');
  await writeFile(join(store.directory, 'blobs', 'sha256', 'README'), 'x');
  const report = await collectGarbage(store, { graceMs });
  assert.deepEqual(
    report.blobs.map(({ reason }) => reason),
    ['of an unknown algorithm'],
  );
  await access(join(store.directory, 'blobs', 'sha256', 'README'));
});

test('partial downloads go when they are old, not while they are written or in a lease', async () => {
  await using place = await storeFor();
  const { store } = place;
  const bytes = Buffer.alloc(1000, 'p');
  const blob = { mediaType: MediaType.layer, digest: digestBytes(bytes), size: 1000 };
  const partial = join(store.directory, 'ingest', blob.digest.replace(':', '-'));
  const age = async (): Promise<void> => {
    const old = new Date(Date.now() - 3 * 86_400_000);
    await utimes(partial, old, old);
  };
  {
    await using ingest = await store.ingest(blob);
    await ingest.write(bytes.subarray(0, 500));
    await age();
    assert.deepEqual((await collectGarbage(store)).leftovers, []);
  }
  {
    await using _lease = await store.lease({ digests: [blob.digest], purpose: 'x' });
    assert.deepEqual((await collectGarbage(store)).leftovers, []);
  }
  const { leftovers, bytesFreed } = await collectGarbage(store);
  const path = `ingest/${blob.digest.replace(':', '-')}`;
  assert.deepEqual(leftovers, [{ path, size: 500, reason: 'partial, not resumed for 24 h' }]);
  assert.equal(bytesFreed, 500);
  assert.deepEqual(await readdir(join(store.directory, 'ingest')), []);
});

test('an aborted collection stops before its first effect', async () => {
  await using place = await storeFor();
  await place.store.put(Buffer.from('x'), { mediaType: MediaType.layer });
  const signal = AbortSignal.abort(new Error('enough'));
  await assert.rejects(collectGarbage(place.store, { graceMs, signal }), { message: 'enough' });
  assert.equal((await allDigests(place.store.directory)).length, 1);
});
