import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { decompress } from '../compression/decompress.ts';
import { noise } from '../compression/testing/streams.ts';
import { digestBytes } from '../digest/hasher.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import { collectTar } from '../tar/testing/collect.ts';
import { collectBytes } from '../tar/testing/streams.ts';
import type { TarWriteEntry } from '../tar/write-tar.ts';
import { crc64 } from './chunked/crc64.ts';
import { type Toc, tocAnnotations } from './chunked/toc.ts';
import { type LayerFormat, layerFormats } from './format.ts';
import { writeLayer } from './write-layer.ts';

const large = noise(9 * 1024 * 1024 + 5);
const attributes = new Map([['user.a', Buffer.from([0, 255])]]);
const entries: readonly TarWriteEntry[] = [
  { header: { name: 'bin/', type: 'directory', mtimeNs: 1_500_000_000_000_000_000n } },
  {
    header: { name: 'bin/a', mode: 0o4755, uid: 3, gid: 4, xattrs: attributes },
    body: Buffer.from('hello\n'),
  },
  { header: { name: 'bin/empty' } },
  { header: { name: 'bin/large', mtimeNs: 1n }, body: large },
  { header: { name: 'bin/link', type: 'link', linkname: 'bin/a' } },
  { header: { name: 'bin/symlink', type: 'symlink', linkname: 'a' } },
  { header: { name: 'dev', type: 'character-device', deviceMajor: 1, deviceMinor: 3 } },
  { header: { name: '.wh.gone' } },
];

async function layerBytes(format: LayerFormat): Promise<{
  readonly layer: Awaited<ReturnType<typeof writeLayer>>;
  readonly bytes: Buffer;
}> {
  const store = createMemoryStore();
  const layer = await writeLayer(store, { entries }, { format });
  const bytes = Buffer.from(await store.readAll(layer.descriptor, { limit: 2 ** 30 }));
  return { layer, bytes };
}

for (const format of layerFormats) {
  test(`${format}: an ordinary layer to those who know nothing else, and the same each time`, async () => {
    const { layer, bytes } = await layerBytes(format);
    assert.deepEqual((await layerBytes(format)).layer, layer);
    const compression = format === 'estargz' ? 'gzip' : format === 'zstd:chunked' ? 'zstd' : format;
    const tar = await collectBytes(
      decompress(
        (async function* () {
          yield bytes;
        })(),
        { compression },
      ),
    );
    assert.equal(digestBytes(tar), layer.diffId);
    const { entries: read, error } = collectTar(tar);
    assert.ifError(error);
    const names = read.map(({ header }) => header.name);
    const extra = format === 'estargz' ? ['.no.prefetch.landmark', 'stargz.index.json'] : [];
    assert.deepEqual(
      names.filter((name) => !extra.includes(name)),
      entries.map(({ header }) => header.name),
    );
    assert.equal(names.length, entries.length + extra.length);
    assert.ok(read.find(({ header }) => header.name === 'bin/large')?.data.equals(large));
  });
}

/** Reads every file by its place in the table alone. */
function checkFiles(toc: Toc, bytes: Buffer, inflate: (piece: Buffer) => Buffer): void {
  const chunks = toc.entries.filter(({ offset }) => offset !== undefined);
  const starts = [...chunks.map(({ offset = 0 }) => offset), bytes.length].sort((a, b) => a - b);
  const contents = new Map<string, Buffer>();
  for (const { name, offset = 0, chunkDigest, chunkOffset = 0 } of chunks) {
    const size = toc.entries.find((entry) => entry.name === name && entry.type === 'reg')?.size ?? 0;
    const end = starts.find((start) => start > offset);
    const content = inflate(bytes.subarray(offset, end)).subarray(
      0,
      Math.min(4 * 1024 * 1024, size - chunkOffset),
    );
    assert.equal(digestBytes(content), chunkDigest);
    contents.set(name, Buffer.concat([contents.get(name) ?? Buffer.of(), content]));
  }
  assert.equal(contents.get('bin/a')?.toString(), 'hello\n');
  assert.ok(contents.get('bin/large')?.equals(large));
  for (const { name, type, digest } of toc.entries)
    if (type === 'reg' && digest !== undefined)
      assert.equal(digestBytes(contents.get(name) ?? large), digest);
}

describe('tables of contents', () => {
  test('eStargz: the footer leads to the table, the table to each file', async () => {
    const { layer, bytes } = await layerBytes('estargz');
    const footer = bytes.subarray(-51);
    assert.equal(gunzipSync(footer).length, 0);
    assert.equal(footer.toString('latin1', 32, 38), 'STARGZ');
    const offset = Number.parseInt(footer.toString('latin1', 16, 32), 16);
    const [toc] = collectTar(gunzipSync(bytes.subarray(offset))).entries;
    assert.equal(toc?.header.name, 'stargz.index.json');
    assert.equal(
      layer.descriptor.annotations?.[tocAnnotations.estargzDigest],
      digestBytes(toc?.data ?? large),
    );
    const table = JSON.parse(String(toc?.data)) as Toc;
    assert.deepEqual(
      table.entries.find(({ name }) => name === 'bin/a'),
      {
        name: 'bin/a',
        type: 'reg',
        size: 6,
        modtime: '1970-01-01T00:00:00Z',
        mode: 0o4755,
        uid: 3,
        gid: 4,
        xattrs: { 'user.a': 'AP8=' },
        digest: digestBytes(Buffer.from('hello\n')),
        chunkDigest: digestBytes(Buffer.from('hello\n')),
        offset: table.entries.find(({ name }) => name === 'bin/a')?.offset,
      },
    );
    checkFiles(table, bytes, (piece) => gunzipSync(piece));
  });

  test('zstd:chunked: the annotations lead to the table, the table to each file, the notes to the archive', async () => {
    const { layer, bytes } = await layerBytes('zstd:chunked');
    const { annotations = {} } = layer.descriptor;
    const at = (name: string): number[] => (annotations[name] ?? '').split(':').map(Number);
    const [offset = 0, length = 0, size, type] = at(tocAnnotations.zstdPosition);
    assert.equal(type, 1);
    const packed = bytes.subarray(offset, offset + length);
    assert.equal(annotations[tocAnnotations.zstdDigest], digestBytes(packed));
    const raw = zstdDecompressSync(packed);
    assert.equal(raw.length, size);
    const table = JSON.parse(raw.toString()) as Toc;
    checkFiles(table, bytes, (piece) => zstdDecompressSync(piece));
    const [notesOffset = 0, notesLength = 0, notesSize] = at(tocAnnotations.zstdTarSplit);
    const packedNotes = bytes.subarray(notesOffset, notesOffset + notesLength);
    assert.equal(table.tarSplitDigest, digestBytes(packedNotes));
    const notes = zstdDecompressSync(packedNotes);
    assert.equal(notes.length, notesSize);
    const hash = createHash('sha256');
    const contents = new Map<string, Buffer>([
      ['bin/a', Buffer.from('hello\n')],
      ['bin/large', large],
    ]);
    for (const [index, line] of notes.toString().trimEnd().split('\n').entries()) {
      const note = JSON.parse(line);
      assert.equal(note.position, index);
      if (note.type === 2) hash.update(Buffer.from(note.payload, 'base64'));
      else if (note.size > 0) hash.update(contents.get(note.name) ?? '');
    }
    assert.equal(`sha256:${hash.digest('hex')}`, layer.diffId);
    assert.equal(bytes.subarray(-8).toString('latin1'), 'GNUlInUx');
    assert.equal(bytes.readBigUInt64LE(bytes.length - 64), BigInt(offset));
  });

  test('the sum in the notes is that of ISO 3309', () => {
    const sum = crc64();
    sum.update(Buffer.from('123456789'));
    assert.equal(sum.digest().toString('hex'), 'b90956c775a41001');
  });
});

test('a layer of archive bytes keeps them', async () => {
  const store = createMemoryStore();
  const tar = Buffer.concat([gunzipSync((await layerBytes('gzip')).bytes), Buffer.alloc(4096)]);
  const source = (async function* () {
    yield tar;
  })();
  const layer = await writeLayer(store, { tar: source });
  assert.equal(layer.diffId, digestBytes(tar));
});

test('an archive becomes a layer with a table of contents, entry by entry', async () => {
  const store = createMemoryStore();
  const tar = gunzipSync((await layerBytes('gzip')).bytes);
  for (const format of ['estargz', 'zstd:chunked'] as const) {
    const source = (async function* () {
      yield tar;
    })();
    const layer = await writeLayer(store, { tar: source }, { format });
    assert.equal(layer.diffId, (await layerBytes(format)).layer.diffId);
  }
});

test('what is no archive is no layer', async () => {
  const source = (async function* () {
    yield Buffer.alloc(2048, 'no archive');
  })();
  await assert.rejects(writeLayer(createMemoryStore(), { tar: source }), { code: 'ERR_OCI_TAR_INVALID' });
});

test('an abort and a failing body leave nothing in the store', async () => {
  const store = createMemoryStore();
  const signal = AbortSignal.abort(new Error('no'));
  await assert.rejects(writeLayer(store, { entries }, { signal }), { message: 'no' });
  for (const format of layerFormats) {
    const wrong = [{ header: { name: 'a', size: 5 }, body: Buffer.from('abc') }];
    await assert.rejects(writeLayer(store, { entries: wrong }, { format }), { code: 'ERR_OCI_TAR_INVALID' });
  }
});
