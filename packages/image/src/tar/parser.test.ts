import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isOciError } from '../errors.ts';
import { EXTENDED_HEADER_LIMIT, ID_LIMIT } from './limits.ts';
import { createTarParser, type TarHandler } from './parser.ts';
import { encodePaxRecord } from './pax-encode.ts';
import { type BlockFields, block, endMarker, extended, padded } from './testing/blocks.ts';
import { type CollectedEntry, collectTar } from './testing/collect.ts';

const ignore: TarHandler = { entry: () => undefined, data: () => undefined, end: () => undefined };

function pax(records: Readonly<Record<string, string | Uint8Array>>): Buffer {
  return extended(
    'x',
    Buffer.concat(Object.entries(records).map(([key, value]) => encodePaxRecord(key, value))),
  );
}

function read(...parts: readonly Uint8Array[]): readonly CollectedEntry[] {
  const { entries, error } = collectTar(Buffer.concat(parts));
  assert.ifError(error);
  return entries;
}

function readOne(...parts: readonly Uint8Array[]): CollectedEntry {
  const [entry, ...more] = read(...parts, endMarker);
  assert.ok(entry);
  assert.deepEqual(more, []);
  return entry;
}

function refuses(parts: readonly Uint8Array[], message: RegExp, code = 'ERR_OCI_TAR_INVALID'): void {
  const { error } = collectTar(Buffer.concat([...parts, endMarker]));
  assert.ok(isOciError(error, code), `${code} was due, ${error} came`);
  assert.match(error.message, message);
}

describe('the end of an archive', () => {
  const file = Buffer.concat([block({ name: 'f', size: 3 }), padded('abc')]);

  test('bytes behind two blocks of zeros are ignored, whatever they are', () => {
    assert.equal(read(file, endMarker, file, Buffer.from('junk')).length, 1);
  });
  test('no end marker, one block of zeros, or a missing padding are accepted', () => {
    assert.equal(read(file).length, 1);
    assert.equal(read(file, Buffer.alloc(512)).length, 1);
    assert.equal(read(file.subarray(0, 515)).length, 1);
    assert.equal(read(file.subarray(0, 600)).length, 1);
  });
  test('an empty archive has no entries', () => assert.deepEqual(read(), []));
  test('a block of zeros before an entry is refused', () => {
    refuses([Buffer.alloc(512), file], /block of zeros/);
  });
  test('an archive that is cut off within a header or within data is refused', () => {
    for (const length of [1, 511, 512, 514]) {
      const { error } = collectTar(file.subarray(0, length));
      assert.ok(isOciError(error, 'ERR_OCI_TAR_INVALID'), `at ${length}`);
      assert.match(error.message, /cut off/);
    }
  });
  test('an archive that is cut off within an extended header is refused', () => {
    const { error } = collectTar(pax({ path: 'x' }).subarray(0, 520));
    assert.ok(isOciError(error, 'ERR_OCI_TAR_INVALID'));
  });
  test('says when it is over', () => {
    const parser = createTarParser(ignore);
    parser.push(file);
    assert.equal(parser.ended, false);
    parser.push(endMarker);
    assert.equal(parser.ended, true);
    parser.finish();
  });
});

describe('header blocks', () => {
  test('a wrong checksum is refused', () => {
    const bad = block();
    bad[0] = 0x62;
    refuses([bad], /checksum/);
  });
  test('a checksum over signed bytes is accepted', () => {
    const signed = block({ name: Buffer.from([0xe9, 0xe8]) });
    const sum = Number.parseInt(signed.toString('latin1', 148, 154), 8) - 512;
    signed.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    assert.deepEqual(readOne(signed).header.nameBytes, Buffer.from([0xe9, 0xe8]));
  });
  test('the offset is where the header block starts', () => {
    const entries = read(block({ name: 'a' }), pax({ path: 'b' }), block({ name: 'x' }));
    assert.deepEqual(
      entries.map(({ header }) => header.offset),
      [0, 1536],
    );
  });
  for (const [flag, type] of [
    ['1', 'link'],
    ['2', 'symlink'],
    ['3', 'character-device'],
    ['5', 'directory'],
    ['6', 'fifo'],
  ]) {
    test(`the size of a ${type} is ignored, and no data is read`, () => {
      const entries = read(block({ name: 'a', flag: flag ?? '', size: 5 }), block({ name: 'b' }));
      assert.equal(entries[0]?.header.type, type);
      assert.deepEqual(
        entries.map(({ header }) => [header.name, header.size]),
        [
          ['a', 0],
          ['b', 0],
        ],
      );
    });
  }
  test('the flag NUL makes a directory of a name with a slash', () => {
    assert.equal(readOne(block({ name: 'd/', flag: '\0' })).header.type, 'directory');
    assert.equal(readOne(block({ name: 'd/', flag: '0' })).header.type, 'file');
    assert.equal(readOne(block({ name: 'd', flag: '\0' })).header.type, 'file');
  });
  test('type bits in the mode are dropped', () => {
    assert.equal(readOne(block({ mode: '0104755' })).header.mode, 0o4755);
  });
  const negative = Buffer.alloc(12, 0xff);
  const wrong: readonly (readonly [string, BlockFields, RegExp])[] = [
    ['a type that nobody unpacks', { flag: 'V' }, /unsupported type "V"/],
    ['a negative size', { size: negative }, /size is -1/],
    ['a negative size of a directory', { size: negative, flag: '5' }, /size is -1/],
    ['a negative user id', { uid: negative.subarray(0, 8) }, /user id is -1/],
    ['the user id that means none', { uid: Buffer.from([0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]) }, /user id/],
    ['a user id that wraps around to root', { uid: Buffer.from([0x80, 0, 0, 1, 0, 0, 0, 0]) }, /user id/],
    [
      'a size above what is countable',
      { size: Buffer.from([0x80, 0, 0, 0, 0x7f, 1, 1, 1, 1, 1, 1, 1]) },
      /size is/,
    ],
    ['a field that is not octal', { size: '0000000008' }, /not octal/],
  ];
  for (const [name, fields, message] of wrong)
    test(`${name} is refused`, () => refuses([block(fields)], message));
});

describe('extended headers', () => {
  test('xattrs are bytes', () => {
    const capability = Buffer.from([1, 0, 0, 2, 0xff, 0xfe, 0, 10, 0x3d, 0x80]);
    const { header } = readOne(
      pax({ 'SCHILY.xattr.security.capability': capability, 'SCHILY.xattr.user.none': '' }),
      block(),
    );
    assert.deepEqual(
      [...header.xattrs],
      [
        ['security.capability', capability],
        ['user.none', Buffer.alloc(0)],
      ],
    );
  });
  test('attributes of libarchive are decoded, and the plain form wins', () => {
    const { header } = readOne(
      pax({
        'LIBARCHIVE.xattr.user.a%20b': '/wA',
        'LIBARCHIVE.xattr.user.c': 'AAAA',
        'SCHILY.xattr.user.c': 'plain',
      }),
      block(),
    );
    assert.deepEqual(
      [...header.xattrs],
      [
        ['user.a b', Buffer.from([0xff, 0])],
        ['user.c', Buffer.from('plain')],
      ],
    );
  });
  test('attribute names and values that make no sense are refused', () => {
    refuses([pax({ 'SCHILY.xattr.': 'x' }), block()], /extended attribute/);
    refuses([pax({ 'LIBARCHIVE.xattr.user.%ff': 'x' }), block()], /extended attribute/);
    refuses([pax({ 'LIBARCHIVE.xattr.user.a': '-_!' }), block()], /base64/);
  });
  test('a GNU long name wins over a pax path, which wins over the block', () => {
    assert.equal(readOne(pax({ path: 'pax' }), block({ name: 'block' })).header.name, 'pax');
    assert.equal(readOne(extended('L', 'gnu\0rest'), pax({ path: 'pax' }), block()).header.name, 'gnu');
    assert.equal(
      readOne(extended('K', 'gnu'), pax({ linkpath: 'pax' }), block({ flag: '2' })).header.linkname,
      'gnu',
    );
  });
  test('they apply to one entry only', () => {
    const entries = read(pax({ path: 'long', uid: '7' }), block({ name: 'a' }), block({ name: 'b' }));
    assert.deepEqual(
      entries.map(({ header }) => [header.name, header.uid]),
      [
        ['long', 7],
        ['b', 0],
      ],
    );
  });
  test('global headers are checked and ignored', () => {
    assert.equal(readOne(extended('g', '10 path=x\n'), block({ name: 'a' })).header.name, 'a');
    refuses([extended('g', 'nonsense'), block()], /pax record/);
  });
  test('the size of a pax header wins, also above 8 GiB', () => {
    const { data } = readOne(pax({ size: '3' }), block({ size: 0 }), padded('abc'));
    assert.equal(data.toString(), 'abc');
    const { entries } = collectTar(Buffer.concat([pax({ size: '17179869184' }), block()]));
    assert.deepEqual(entries, []);
  });
  test('ids of pax headers have the same bounds', () => {
    assert.equal(readOne(pax({ uid: String(ID_LIMIT) }), block()).header.uid, ID_LIMIT);
    for (const uid of ['-1', '4294967295', '4294967296', '1e3', 'root'])
      refuses([pax({ uid }), block()], /user id/);
  });
  test('negative sizes and NULs in names are refused', () => {
    refuses([pax({ size: '-512' }), block()], /size is -512/);
    refuses([pax({ path: 'a\0b' }), block()], /invalid path/);
    refuses([pax({ 'a\0b': 'x' }), block()], /invalid keyword/);
  });
  test('names that are not UTF-8 keep their bytes', () => {
    const name = Buffer.from([0x61, 0xff, 0x2f]);
    const { header } = readOne(pax({ path: name, linkpath: name }), block({ flag: '5' }));
    assert.deepEqual([header.nameBytes, header.linknameBytes], [name, name]);
    assert.equal(header.name, 'a\u{fffd}/');
  });
  for (const flag of ['x', 'g', 'L', 'K']) {
    test(`one of type ${flag} above the limit is refused before it is read`, () => {
      refuses(
        [block({ flag, size: EXTENDED_HEADER_LIMIT + 1 })],
        /extended tar header/,
        'ERR_OCI_LIMIT_EXCEEDED',
      );
    });
  }
});

test('data chunks are views on what was pushed', () => {
  const archive = Buffer.concat([block({ size: 3 }), padded('abc')]);
  const chunks: Buffer[] = [];
  const parser = createTarParser({ ...ignore, data: (chunk) => chunks.push(chunk) });
  parser.push(archive);
  assert.equal(chunks[0]?.buffer, archive.buffer);
});

test('a parser that failed stays failed', () => {
  const parser = createTarParser(ignore);
  assert.throws(() => parser.push(Buffer.alloc(512, 1)));
  assert.throws(() => parser.push(block()));
  assert.throws(() => parser.finish());
});
