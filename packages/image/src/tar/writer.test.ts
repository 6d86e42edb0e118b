import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isOciError } from '../errors.ts';
import { readTar } from './reader.ts';
import { tarEntry } from './testing/arbitraries.ts';
import { collectTar } from './testing/collect.ts';
import { collectBytes, observedStream } from './testing/streams.ts';
import { type TarWriteEntry, writeTar } from './write-tar.ts';
import { createTarWriter } from './writer.ts';
import type { TarWriterEntry } from './writer-entry.ts';

function write(...entries: readonly TarWriteEntry[]): Promise<Buffer> {
  return collectBytes(writeTar(entries));
}

async function roundTrip(header: TarWriterEntry, body?: Uint8Array): Promise<Record<string, unknown>> {
  const { entries, error } = collectTar(await write({ header, body }));
  assert.ifError(error);
  return { ...entries[0]?.header, data: entries[0]?.data };
}

function refuses(header: TarWriterEntry, message: RegExp): Promise<void> {
  return assert.rejects(write({ header }), (error) => {
    assert.ok(isOciError(error, 'ERR_OCI_TAR_INVALID'), String(error));
    assert.match(error.message, message);
    return true;
  });
}

describe('what is written reads back', () => {
  test('any entries, in any order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(tarEntry, { maxLength: 5 }), async (entries) => {
        const archive = await write(...entries);
        assert.equal(archive.length % 512, 0);
        const read = collectTar(archive);
        assert.ifError(read.error);
        assert.equal(read.entries.length, entries.length);
        for (const [index, { header, body }] of entries.entries()) {
          const entry = read.entries[index];
          assert.ok(entry);
          assert.ok(entry.data.equals(body));
          const name = header.type === 'directory' ? `${header.name}/` : header.name;
          assert.partialDeepStrictEqual(entry.header, {
            ...header,
            name,
            xattrs: new Map([...(header.xattrs ?? [])].map(([key, value]) => [key, Buffer.from(value)])),
          });
        }
      }),
      { numRuns: 150 },
    );
  });

  test('names that are not UTF-8, byte by byte', async () => {
    const bytes = Buffer.from([0x66, 0xff, 0xfe]);
    const entry = await roundTrip({
      name: '?',
      nameBytes: bytes,
      type: 'symlink',
      linkname: '?',
      linknameBytes: bytes,
    });
    assert.deepEqual([entry['nameBytes'], entry['linknameBytes']], [bytes, bytes]);
  });

  test('mode 0, which tar-stream takes for "not given"', async () => {
    assert.equal((await roundTrip({ name: 'a', mode: 0 }))['mode'], 0);
  });

  test('names of more than 100 bytes that begin with a slash', async () => {
    const name = `/${'d/'.repeat(60)}f`;
    assert.equal((await roundTrip({ name }))['name'], name);
  });

  test('a TarEntry as it was read', async () => {
    const archive = await write({
      header: { name: 'é', uid: 5_000_000, mtimeNs: 1n },
      body: Buffer.from('x'),
    });
    assert.ok((await collectBytes(writeTar(readTar(observedStream([archive]))))).equals(archive));
  });

  test('a size above 8 GiB', async () => {
    const writer = createTarWriter();
    const size = 2 ** 33;
    const writing = writer.entry({ name: 'a', size }, observedStream([Buffer.from('x')]));
    const chunks: Uint8Array[] = [];
    const reading = (async () => {
      for await (const chunk of writer.stream) chunks.push(chunk);
    })();
    await Promise.allSettled([writing, reading]);
    const parsed = collectTar(Buffer.concat(chunks));
    assert.equal(parsed.entries.length, 0);
    assert.ok(Buffer.concat(chunks).includes('19 size=8589934592\n'));
  });
});

describe('the bytes', () => {
  test('are the same for the same entries', async () => {
    const header = {
      name: 'a',
      xattrs: new Map([
        ['user.b', Buffer.from('1')],
        ['user.a', Buffer.from('2')],
      ]),
    };
    const other = { ...header, xattrs: new Map([...header.xattrs].reverse()) };
    const first = await write({ header, body: Buffer.from('x') });
    await new Promise((resolve) => setTimeout(resolve, 1100));
    assert.ok((await write({ header: other, body: Buffer.from('x') })).equals(first));
  });
  test('are the same for a body in memory and one that streams', async () => {
    const header = { name: 'a', size: 5 };
    const streamed = await write({
      header,
      body: observedStream([Buffer.from('ab'), Buffer.alloc(0), Buffer.from('cde')]),
    });
    assert.ok(streamed.equals(await write({ header, body: Buffer.from('abcde') })));
  });
  test('are ustar without extended headers when that is enough', async () => {
    const archive = await write({
      header: { name: 'usr/bin/a', uid: 1_000_000, mtimeNs: 1_700_000_000_000_000_000n },
    });
    assert.equal(archive.length, 512 + 1024);
    assert.equal(archive.toString('latin1', 257, 265), 'ustar\u000000');
  });
});

describe('what cannot be written is refused', () => {
  test('headers', async () => {
    await refuses({ name: '' }, /has no name/);
    await refuses({ name: 'a\0b' }, /NUL/);
    await refuses({ name: 'a', type: 'symlink' }, /link target/);
    await refuses({ name: 'a', uid: -1 }, /user id -1/);
    await refuses({ name: 'a', gid: 2 ** 32 }, /group id/);
    await refuses({ name: 'a', mode: 0o100644 }, /mode/);
    await refuses({ name: 'a', size: 1.5 }, /size/);
    await refuses({ name: 'a', type: 'character-device', deviceMinor: 2 ** 21 }, /device number/);
    await refuses({ name: 'a', xattrs: new Map([['user.a=b', Buffer.alloc(1)]]) }, /attribute name/);
    await refuses({ name: 'a', xattrs: new Map([['user.a', Buffer.alloc(2 ** 20)]]) }, /more metadata/);
  });
  test('bodies of another size, or of entries that are no files', async () => {
    const body = (): AsyncIterable<Uint8Array> => observedStream([Buffer.from('abc')]);
    const isInvalid = (error: unknown): boolean => isOciError(error, 'ERR_OCI_TAR_INVALID');
    await assert.rejects(write({ header: { name: 'a', size: 2 }, body: body() }), isInvalid);
    await assert.rejects(write({ header: { name: 'a', size: 4 }, body: body() }), isInvalid);
    await assert.rejects(
      write({ header: { name: 'a', type: 'directory' }, body: Buffer.from('x') }),
      isInvalid,
    );
    await assert.rejects(write({ header: { name: 'a', type: 'directory' }, body: body() }), isInvalid);
  });
});

describe('failures and early ends', () => {
  test('a body that fails ends the archive with its error, and is closed', async () => {
    const failure = new Error('disk');
    const body = observedStream([Buffer.alloc(1000)], { failure });
    await assert.rejects(write({ header: { name: 'a', size: 5000 }, body }), failure);
    assert.ok(body.isClosed);
  });
  test('when the reader stops, the body and the entries are closed', async () => {
    function* endless(): Generator<Buffer> {
      for (;;) yield Buffer.alloc(100_000);
    }
    const body = observedStream(endless());
    let isClosed = false;
    async function* entries(): AsyncGenerator<TarWriteEntry> {
      try {
        yield { header: { name: 'a', size: 2 ** 40 }, body };
      } finally {
        isClosed = true;
      }
    }
    for await (const chunk of writeTar(entries())) if (chunk.length === 100_000) break;
    assert.ok(body.isClosed);
    assert.ok(isClosed);
  });
  test('an aborted signal ends it', async () => {
    const controller = new AbortController();
    function* entries(): Generator<TarWriteEntry> {
      for (;;) yield { header: { name: 'a' } };
    }
    const archive = writeTar(entries(), { signal: controller.signal });
    await archive.next();
    controller.abort();
    await assert.rejects(collectBytes(archive), { name: 'AbortError' });
  });
});
