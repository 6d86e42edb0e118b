import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isOciError } from '../errors.ts';
import { SPARSE_MAP_LIMIT } from './limits.ts';
import { encodePaxRecord } from './pax-encode.ts';
import { block, endMarker, extended, padded } from './testing/blocks.ts';
import { type CollectedEntry, collectTar, expandedContent } from './testing/collect.ts';

const content = Buffer.from('....abcd........efgh....'.replaceAll('.', '\0'));
const data = padded('abcdefgh');
const octal = (value: number): string => value.toString(8).padStart(11, '0');

/** An old GNU sparse header block with up to four segments. */
function gnuBlock(segments: readonly (readonly [number, number])[], size = 24): Buffer {
  const at: Record<number, string> = { 483: octal(size) };
  segments.forEach(([offset, length], index) => {
    at[386 + 24 * index] = octal(offset);
    at[398 + 24 * index] = octal(length);
  });
  return block({ flag: 'S', size: 8, magic: 'ustar  \0', at });
}

function paxBlock(records: Readonly<Record<string, string>>, size = 8): Buffer {
  const bytes = Buffer.concat(Object.entries(records).map(([key, value]) => encodePaxRecord(key, value)));
  return Buffer.concat([extended('x', bytes), block({ name: 'GNUSparseFile.0/a', size })]);
}

const version1 = {
  'GNU.sparse.major': '1',
  'GNU.sparse.minor': '0',
  'GNU.sparse.name': 'a',
  'GNU.sparse.realsize': '24',
};
const version01 = { 'GNU.sparse.size': '24', 'GNU.sparse.numblocks': '2', 'GNU.sparse.map': '4,4,16,4' };

function read(...parts: readonly Uint8Array[]): CollectedEntry {
  const { entries, error } = collectTar(Buffer.concat([...parts, endMarker]), 100);
  assert.ifError(error);
  const [entry] = entries;
  assert.ok(entry);
  return entry;
}

function refuses(parts: readonly Uint8Array[], message: RegExp, code = 'ERR_OCI_TAR_INVALID'): void {
  const { error } = collectTar(Buffer.concat([...parts, endMarker]));
  assert.ok(isOciError(error, code), `${code} was due, ${error} came`);
  assert.match(error.message, message);
}

describe('sparse files', () => {
  const encodings: Readonly<Record<string, readonly Uint8Array[]>> = {
    'old GNU': [
      gnuBlock([
        [4, 4],
        [16, 4],
        [24, 0],
      ]),
      data,
    ],
    'pax 0.1': [paxBlock(version01), data],
    'pax 1.0': [paxBlock(version1, 512 + 8), padded('2\n4\n4\n16\n4\n'), data],
  };
  for (const [name, parts] of Object.entries(encodings)) {
    test(`${name}: size is the expanded one, data comes without holes`, () => {
      const entry = read(...parts);
      assert.equal(entry.header.size, 24);
      assert.equal(entry.header.type, 'file');
      assert.deepEqual(entry.header.sparse, [
        { offset: 4, length: 4 },
        { offset: 16, length: 4 },
      ]);
      assert.equal(entry.data.toString(), 'abcdefgh');
      assert.deepEqual(expandedContent(entry), content);
    });
  }

  test('an old GNU map goes on in extension blocks', () => {
    const first = gnuBlock(
      [
        [0, 1],
        [2, 1],
        [4, 1],
        [6, 1],
      ],
      100,
    );
    const header = block({
      flag: 'S',
      size: 5,
      magic: 'ustar  \0',
      at: { 386: first.subarray(386, 482), 482: '\u0001', 483: octal(100) },
    });
    const extension = Buffer.alloc(512);
    extension.write(octal(8), 0);
    extension.write(octal(1), 12);
    const { header: entry } = read(header, extension, padded('abcde'));
    assert.deepEqual(
      entry.sparse?.map(({ offset }) => offset),
      [0, 2, 4, 6, 8],
    );
  });

  test('maps that overlap, leave the file or do not match the data are refused', () => {
    refuses(
      [
        gnuBlock([
          [4, 4],
          [6, 4],
        ]),
        data,
      ],
      /overlap/,
    );
    refuses(
      [
        gnuBlock([
          [16, 4],
          [4, 4],
        ]),
        data,
      ],
      /overlap/,
    );
    refuses(
      [
        gnuBlock([
          [4, 4],
          [22, 4],
        ]),
        data,
      ],
      /outside/,
    );
    refuses([gnuBlock([[4, 4]]), data], /amount of data/);
    refuses(
      [
        gnuBlock([
          [4, 4],
          [16, 5],
        ]),
        data,
      ],
      /amount of data/,
    );
    refuses([paxBlock({ ...version01, 'GNU.sparse.map': '4,4,16' }), data], /another length/);
    refuses([paxBlock({ ...version01, 'GNU.sparse.map': '4,4,-16,4' }), data], /-16/);
    refuses([paxBlock({ ...version01, 'GNU.sparse.numblocks': '1e9' }), data], /count/);
    refuses([paxBlock(version1, 512 + 8), padded('2\n4\n4\n16\nx\n'), data], /sparse map/);
    refuses([paxBlock(version1, 100), padded('2\n4\n'), data], /cut off/);
  });

  test('an unknown version is a file like any other, as in Go', () => {
    const { header } = read(paxBlock({ ...version1, 'GNU.sparse.major': '2' }), data);
    assert.equal(header.name, 'GNUSparseFile.0/a');
    assert.equal(header.sparse, undefined);
  });

  test('maps above the limit are refused', () => {
    const count = SPARSE_MAP_LIMIT;
    const map = `${count}\n${'1\n'.repeat(SPARSE_MAP_LIMIT)}`;
    refuses(
      [paxBlock(version1, map.length), Buffer.from(map)],
      /map of a sparse file/,
      'ERR_OCI_LIMIT_EXCEEDED',
    );
    const more = Buffer.alloc(512);
    more[504] = 1;
    const header = block({ flag: 'S', magic: 'ustar  \0', at: { 482: '\u0001', 483: octal(0) } });
    refuses(
      [header, ...Array(SPARSE_MAP_LIMIT / 512).fill(more)],
      /map of a sparse file/,
      'ERR_OCI_LIMIT_EXCEEDED',
    );
  });
});
