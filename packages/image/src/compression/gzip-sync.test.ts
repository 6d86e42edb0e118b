import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { crc32, deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { ImageError, isOciError } from '../errors.ts';
import { chunksOf } from '../tar/testing/streams.ts';
import { inflateEngine, zlibSync } from './engines.ts';
import { createSyncGunzip } from './gzip-sync.ts';
import { noise, pack } from './testing/streams.ts';

// Taken once: after some layers in one thread it is no longer handed out.
const library = zlibSync();
const skip = library === undefined && `zlib-sync does not load: ${inflateEngine().reason}`;

function unpack(chunks: Iterable<Uint8Array>): Buffer {
  const output: Uint8Array[] = [];
  assert.ok(library);
  const decompressor = createSyncGunzip(library, (chunk) => output.push(chunk));
  for (const chunk of chunks) decompressor.push(chunk);
  decompressor.finish();
  return Buffer.concat(output);
}

function isInvalid(error: unknown): boolean {
  return isOciError(error, 'ERR_OCI_COMPRESSION_INVALID');
}

/** A gzip member of made-up parts. */
function member({
  content,
  deflated,
  flags = 0,
  header = '',
}: {
  readonly content: Uint8Array;
  readonly deflated?: Uint8Array;
  readonly flags?: number;
  readonly header?: string;
}): Buffer {
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc32(content), 0);
  trailer.writeUInt32LE(content.length, 4);
  const fixed = Buffer.from([0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 255]);
  return Buffer.concat([fixed, Buffer.from(header, 'latin1'), deflated ?? deflateRawSync(content), trailer]);
}

/** Deflate blocks that store bytes as they are (RFC 1951, 3.2.4). */
function stored(content: Uint8Array): Buffer {
  const blocks: Buffer[] = [];
  for (const chunk of chunksOf(content, 65_535)) {
    const length = Buffer.alloc(4);
    length.writeUInt16LE(chunk.length, 0);
    length.writeUInt16LE(chunk.length ^ 0xffff, 2);
    blocks.push(Buffer.from([0]), length, Buffer.from(chunk));
  }
  return Buffer.concat([...blocks, Buffer.from([1, 0, 0, 0xff, 0xff])]);
}

describe('gzip through zlib-sync', { skip }, () => {
  test('a single member in chunks of any size', () => {
    const content = Buffer.concat([noise(500_000), Buffer.alloc(3_000_000, 'abc')]);
    const stream = pack('gzip', content);
    for (const size of [997, 65_536, 100_000, stream.length]) {
      assert.ok(unpack(chunksOf(stream, size)).equals(content), `in chunks of ${size}`);
    }
  });

  test('output that fills the buffer of the engine exactly', () => {
    for (const length of [262_144, 524_288, 262_143, 262_145]) {
      const stream = Buffer.concat([pack('gzip', Buffer.alloc(length, 7)), pack('gzip', 'next')]);
      for (const size of [stream.length, 1, 100]) {
        const content = unpack(chunksOf(stream, size));
        assert.equal(content.length, length + 4);
        assert.equal(content.subarray(-4).toString(), 'next');
      }
    }
  });

  test('members that end at every offset of a chunk', () => {
    const parts = ['first', '', 'second, a bit longer', 'x'.repeat(300), '', 'last'];
    const stream = Buffer.concat(parts.map((part) => pack('gzip', part)));
    for (let size = 1; size <= stream.length; size++) {
      assert.equal(unpack(chunksOf(stream, size)).toString(), parts.join(''), `in chunks of ${size}`);
    }
    for (let cut = 0; cut <= stream.length; cut++) {
      assert.equal(
        unpack([stream.subarray(0, cut), stream.subarray(cut)]).toString(),
        parts.join(''),
        `cut at ${cut}`,
      );
    }
  });

  test('large members that end at offsets around the pieces of the engine', () => {
    const tail = pack('gzip', 'tail');
    for (let offset = -12; offset <= 12; offset++) {
      const content = noise(65_536 - 23 - 10 - 8 + offset);
      const stream = Buffer.concat([member({ content, deflated: stored(content) }), tail, Buffer.alloc(20)]);
      for (const size of [stream.length, 65_536, 4096]) {
        assert.ok(unpack(chunksOf(stream, size)).equals(Buffer.concat([content, Buffer.from('tail')])));
      }
    }
  });

  test('members of all sizes behind the first one', () => {
    const parts = [
      noise(100),
      noise(3_000_000),
      Buffer.alloc(40_000_000),
      noise(10),
      noise(1_500_000),
      Buffer.alloc(0),
    ];
    const stream = Buffer.concat(parts.map((part) => pack('gzip', part)));
    for (const size of [stream.length, 262_144, 10_000]) {
      assert.ok(unpack(chunksOf(stream, size)).equals(Buffer.concat(parts)));
    }
  });

  test('thousands of members', () => {
    const stream = Buffer.concat(Array<Buffer>(3000).fill(pack('gzip', 'file')));
    assert.equal(unpack(chunksOf(stream, 4096)).toString(), 'file'.repeat(3000));
  });

  test('headers with every optional part', () => {
    const content = Buffer.from('content');
    const extra = `${String.fromCharCode(4, 0)}abcd`;
    const variants = [
      member({ content, flags: 4, header: extra }),
      member({ content, flags: 8, header: 'name\0' }),
      member({ content, flags: 16, header: 'comment\0' }),
      member({ content, flags: 4 + 8 + 16, header: `${extra}name\0comment\0` }),
    ];
    const stream = Buffer.concat([...variants, ...variants]);
    for (const size of [1, 3, stream.length]) {
      assert.equal(unpack(chunksOf(stream, size)).toString(), 'content'.repeat(8));
    }
  });

  test('zeros behind the end are padding, anything else is refused', () => {
    const stream = Buffer.concat([pack('gzip', noise(200_000)), pack('gzip', 'b')]);
    for (const base of [stream, pack('gzip', noise(1000)), pack('gzip', '')]) {
      const zeros = Buffer.alloc(100_000);
      for (const size of [1, 8, 9, 100_000]) {
        const padded = Buffer.concat([base, zeros.subarray(0, size)]);
        assert.ok(unpack([padded]).equals(unpack([base])));
        assert.ok(unpack(chunksOf(padded, 777)).equals(unpack([base])));
        for (const junk of ['x', '\u001f', '\u001f\u008bjunk', 'longer junk']) {
          const bytes = Buffer.from(junk, 'latin1');
          assert.throws(() => unpack([Buffer.concat([base, bytes])]), isInvalid);
          assert.throws(() => unpack(chunksOf(Buffer.concat([base, bytes]), 1000)), isInvalid);
          assert.throws(() => unpack([padded, bytes]), isInvalid);
          assert.throws(() => unpack([padded, pack('gzip', 'x')]), isInvalid);
        }
      }
    }
  });

  test('a stream that is cut off is refused, wherever', () => {
    const first = pack('gzip', 'first member');
    const small = Buffer.concat([first, pack('gzip', 'second')]);
    for (let length = 0; length < small.length; length++) {
      if (length === first.length) continue;
      assert.throws(() => unpack([small.subarray(0, length)]), isInvalid, `at ${length}`);
      assert.throws(() => unpack(chunksOf(small.subarray(0, length), 1)), isInvalid, `at ${length}`);
    }
  });

  test('damage is refused', () => {
    const member = pack('gzip', noise(20_000).toString('base64'));
    const stream = Buffer.concat([member, member]);
    for (let position = 0; position < stream.length; position += 97) {
      // Time, system and flags of a header mean nothing to the content.
      if (position % member.length < 10) continue;
      const damaged = Buffer.from(stream);
      damaged[position] = (damaged[position] ?? 0) ^ 0x10;
      assert.throws(() => unpack([damaged]), isInvalid, `at ${position}`);
    }
  });

  describe('a member that holds its own trailer', () => {
    /** Content with its checksum and length in front, made true by four bytes at its end. */
    function forged(length: number): Buffer {
      const content = noise(length);
      content.writeUInt32LE(0x12345678, 100);
      content.writeUInt32LE(length, 104);
      return forceChecksum(content, 0x12345678);
    }

    test('is read rightly while it is small', () => {
      const content = forged(10_000);
      assert.equal(crc32(content), 0x12345678);
      const stream = Buffer.concat([member({ content, deflated: stored(content) }), pack('gzip', 'tail')]);
      assert.ok(unpack([stream]).equals(Buffer.concat([content, Buffer.from('tail')])));
    });

    test('is read rightly while the trailer is not in the last piece', () => {
      const content = forged(200_000);
      const stream = Buffer.concat([member({ content, deflated: stored(content) }), pack('gzip', 'tail')]);
      assert.ok(unpack([stream]).equals(Buffer.concat([content, Buffer.from('tail')])));
    });

    test('is refused when its end cannot be told', () => {
      const content = noise(100_000);
      content.writeUInt32LE(0x12345678, 99_500);
      content.writeUInt32LE(content.length, 99_504);
      const stream = member({ content: forceChecksum(content, 0x12345678), deflated: stored(content) });
      assert.throws(() => unpack([stream]), /hides where its first member ends/);
    });
  });

  test('random damage gives bytes or an ImageError, and ends', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 4 }),
        fc.array(fc.tuple(fc.nat(2000), fc.nat(255)), { maxLength: 4 }),
        fc.integer({ min: 1, max: 300 }),
        (parts, changes, size) => {
          const stream = Buffer.concat(parts.map((part) => pack('gzip', part)));
          for (const [position, value] of changes) stream[position % stream.length] = value;
          try {
            const bytes = unpack(chunksOf(stream, size));
            if (changes.length === 0) assert.ok(bytes.equals(Buffer.concat(parts)));
          } catch (error) {
            assert.ok(error instanceof ImageError && changes.length > 0, String(error));
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

/** Sets the last four bytes such that the whole has the checksum; CRC-32 runs backwards as well as forwards. */
function forceChecksum(content: Buffer, wanted: number): Buffer {
  const table = Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
    return value >>> 0;
  });
  let state = (wanted ^ 0xffffffff) >>> 0;
  for (let count = 0; count < 4; count++) {
    const index = table.findIndex((value) => value >>> 24 === state >>> 24);
    state = (((state ^ (table[index] ?? 0)) << 8) | index) >>> 0;
  }
  const before = (crc32(content.subarray(0, -4)) ^ 0xffffffff) >>> 0;
  content.writeUInt32LE((state ^ before) >>> 0, content.length - 4);
  return content;
}
