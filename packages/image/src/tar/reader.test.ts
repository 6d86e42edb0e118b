import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOciError } from '../errors.ts';
import { encodePaxRecord } from './pax-encode.ts';
import { readTar } from './reader.ts';
import { block, endMarker, extended, padded } from './testing/blocks.ts';
import { chunksOf, collectBytes, collectItems, observedStream } from './testing/streams.ts';

const archive = Buffer.concat([
  block({ name: 'a', size: 1000 }),
  padded('a'.repeat(1000)),
  block({ name: 'd/', flag: '5' }),
  block({ name: 'b', size: 3 }),
  padded('bbb'),
  endMarker,
]);

test('reads bodies, also across chunks', async () => {
  for (const size of [1, 100, 512, archive.length]) {
    const entries: string[] = [];
    for await (const { header, body } of readTar(observedStream(chunksOf(archive, size)))) {
      entries.push(`${header.name} ${(await collectBytes(body)).length}`);
    }
    assert.deepEqual(entries, ['a 1000', 'd/ 0', 'b 3'], `in chunks of ${size}`);
  }
});

test('skips bodies that are not read, or only in part', async () => {
  for (const isPartial of [false, true]) {
    const names: string[] = [];
    for await (const { header, body } of readTar(observedStream(chunksOf(archive, 100)))) {
      if (isPartial) for await (const _ of body) break;
      names.push(header.name);
    }
    assert.deepEqual(names, ['a', 'd/', 'b']);
  }
});

test('fills the holes of sparse files', async () => {
  const records = {
    'GNU.sparse.size': '200000',
    'GNU.sparse.numblocks': '2',
    'GNU.sparse.map': '100000,3,150000,2',
  };
  const header = Object.entries(records).map(([key, value]) => encodePaxRecord(key, value));
  const sparse = Buffer.concat([extended('x', Buffer.concat(header)), block({ size: 5 }), padded('abcde')]);
  const expected = Buffer.alloc(200_000);
  expected.write('abc', 100_000);
  expected.write('de', 150_000);
  for await (const { body } of readTar(observedStream(chunksOf(sparse, 100)))) {
    assert.ok((await collectBytes(body)).equals(expected));
  }
});

test('a body cannot be read after the next entry was asked for', async () => {
  const reader = readTar(observedStream([archive]));
  const first = await reader.next();
  await reader.next();
  assert.ok(!first.done);
  await assert.rejects(collectBytes(first.value.body), TypeError);
  await reader.return();
});

test('reads the source to its end, and passes its failure on', async () => {
  const failure = new Error('the digest is wrong');
  const names: string[] = [];
  await assert.rejects(async () => {
    for await (const { header } of readTar(observedStream([archive, Buffer.alloc(10)], { failure }))) {
      names.push(header.name);
    }
  }, failure);
  assert.equal(names.length, 3);
});

test('closes the source when the reader stops early', async () => {
  const source = observedStream(chunksOf(archive, 100));
  for await (const { body } of readTar(source)) {
    for await (const _ of body) break;
    break;
  }
  assert.ok(source.isClosed);
});

test('fails for an archive that is cut off, also while a body is read', async () => {
  const cut = archive.subarray(0, 700);
  const isCut = (error: unknown): boolean => isOciError(error, 'ERR_OCI_TAR_INVALID');
  await assert.rejects(collectItems(readTar(observedStream([cut]))), isCut);
  await assert.rejects(async () => {
    for await (const { body } of readTar(observedStream([cut]))) await collectBytes(body);
  }, isCut);
});

test('an aborted signal ends it before the first effect, and in the middle', async () => {
  const source = observedStream([archive]);
  await assert.rejects(collectItems(readTar(source, { signal: AbortSignal.abort() })), {
    name: 'AbortError',
  });
  const controller = new AbortController();
  const endless = observedStream(chunksOf(archive, 512));
  await assert.rejects(
    async () => {
      for await (const _ of readTar(endless, { signal: controller.signal })) controller.abort();
    },
    { name: 'AbortError' },
  );
  assert.ok(endless.isClosed);
});
