import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { crc32, gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { isOciError } from '../errors.ts';
import { chunksOf } from '../tar/testing/streams.ts';
import { createEngineGunzip, type GzipEngine } from './gzip-engine.ts';
import { readMember } from './gzip-member.ts';
import { pack } from './testing/streams.ts';

const fixedHeader = gzipSync('').subarray(0, 10);

/** An engine by the definition: keeps its input until a member is complete. */
function simpleEngine(): GzipEngine {
  let input = fixedHeader;
  let output: Buffer | undefined;
  return {
    inflate(bytes, room) {
      let used = bytes.length;
      if (output === undefined) {
        const before = input.length;
        input = Buffer.concat([input, bytes]);
        const member = readMember(input, { maxOutput: 1e8 });
        if (member.status !== 'complete') return { used, made: 0, ended: false };
        output = member.output;
        used = member.used - before;
      } else {
        used = 0;
      }
      const made = output.copy(room);
      output = output.subarray(made);
      return { used, made, ended: output.length === 0 };
    },
    reset() {
      input = fixedHeader;
      output = undefined;
    },
  };
}

function unpack(chunks: Iterable<Uint8Array>, roomBytes = 1000): Buffer {
  const output: Buffer[] = [];
  const memory = Buffer.alloc(roomBytes);
  const gunzip = createEngineGunzip(simpleEngine(), {
    memory: {
      room: () => memory,
      filled: (bytes) => void output.push(Buffer.from(memory.subarray(0, bytes))),
    },
  });
  for (const chunk of chunks) gunzip.push(chunk);
  gunzip.finish();
  return Buffer.concat(output);
}

const isInvalid = (error: unknown): boolean => isOciError(error, 'ERR_OCI_COMPRESSION_INVALID');

describe('gzip through an engine', () => {
  test('any number of members, padded or not, in chunks and rooms of any size', () => {
    const lists = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(lists, fc.nat(20), fc.integer({ min: 1, max: 90 }), (contents, zeros, size) => {
        const stream = Buffer.concat([...contents.map((part) => gzipSync(part)), Buffer.alloc(zeros)]);
        assert.deepEqual(unpack(chunksOf(stream, size), size), Buffer.concat(contents));
      }),
    );
  });

  test('what is cut off anywhere, followed by anything, or no gzip at all', () => {
    const stream = Buffer.concat([pack('gzip', 'first'), pack('gzip', 'second')]);
    const whole = pack('gzip', 'first').length;
    for (let length = 0; length < stream.length; length++) {
      if (length === whole) continue;
      assert.throws(() => unpack([stream.subarray(0, length)]), isInvalid, `${length} bytes`);
    }
    assert.throws(() => unpack([stream, Buffer.from('x')]), isInvalid);
    assert.throws(() => unpack([stream, Buffer.from([0, 0, 1])]), isInvalid);
    assert.throws(() => unpack([stream, Buffer.from([0x1f, 0x8b, 8])]), isInvalid);
    assert.throws(() => unpack([Buffer.alloc(20)]), isInvalid);
    const reserved = Buffer.from(stream);
    reserved[3] = 0x20;
    assert.throws(() => unpack([reserved]), isInvalid);
  });

  test('a header with all of its parts', () => {
    const plain = gzipSync('content').subarray(10);
    const parts = [
      0x1f,
      0x8b,
      8,
      0x1e,
      0,
      0,
      0,
      0,
      0,
      3,
      4,
      0,
      1,
      2,
      3,
      4,
      ...Buffer.from('name\0comment\0'),
    ];
    const head = Buffer.from(parts);
    const checksum = Buffer.alloc(2);
    checksum.writeUInt16LE(crc32(head) & 0xffff);
    const stream = Buffer.concat([head, checksum, plain]);
    assert.equal(gunzipSync(stream).toString(), 'content');
    for (const size of [1, 3, 100]) assert.equal(unpack(chunksOf(stream, size)).toString(), 'content');
    assert.throws(() => unpack([Buffer.concat([head, Buffer.alloc(2), plain])]), isInvalid);
    const endless = Buffer.concat([head.subarray(0, 16), Buffer.alloc(70_000, 'n')]);
    assert.throws(() => unpack(chunksOf(endless, 10_000)), isInvalid);
  });

  test('a bomb is stopped', () => {
    const bomb = pack('gzip', Buffer.alloc(70_000_000));
    assert.throws(
      () => unpack([bomb], 1_000_000),
      (error) => isOciError(error, 'ERR_OCI_LIMIT_EXCEEDED'),
    );
  });
});
