import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isOciError } from '../errors.ts';
import { parsePaxRecord, parsePaxRecords, parsePaxTime } from './pax.ts';
import { encodePaxRecord } from './pax-encode.ts';
import { readTable } from './testing/table.ts';

interface RecordCase {
  readonly in: string;
  readonly ok: boolean;
  readonly wantKey?: string;
  readonly wantVal: string;
  readonly wantRes: string;
}

interface TimeCase {
  readonly in: string;
  readonly ok: boolean;
  readonly want: string | object;
}

function isInvalid(error: unknown): boolean {
  return isOciError(error, 'ERR_OCI_TAR_INVALID');
}

describe('pax records', () => {
  for (const { in: input, ok, wantKey, wantVal, wantRes } of readTable<RecordCase>('pax-record')) {
    test(JSON.stringify(input).slice(0, 60), () => {
      const bytes = Buffer.from(input);
      if (!ok) {
        assert.throws(() => parsePaxRecord(bytes, 0), isInvalid);
        return;
      }
      const { key, value, next } = parsePaxRecord(bytes, 0);
      if (wantKey !== undefined) assert.equal(key, wantKey);
      assert.equal(value.toString(), wantVal);
      assert.equal(bytes.subarray(next).toString(), wantRes);
    });
  }

  test('values are bytes, and the last of a keyword counts', () => {
    const value = Buffer.from([0, 0xff, 0x0a, 0x3d]);
    const record = Buffer.concat([Buffer.from('10 k='), value, Buffer.from('\n')]);
    const { values } = parsePaxRecords(Buffer.concat([Buffer.from('6 k=1\n'), record]));
    assert.deepEqual(values.get('k'), value);
  });

  test('a length that points outside, or not at a record, is refused', () => {
    for (const input of [
      '99999999999999999999 k=v\n',
      '7 k=v\n',
      '5 k=v\n',
      ' 6 k=v\n',
      '-6 k=v\n',
      '6\tk=v\n',
      '6',
    ]) {
      assert.throws(() => parsePaxRecords(Buffer.from(input)), isInvalid, input);
    }
  });

  test('sparse records keep their order and must alternate', () => {
    const offset = encodePaxRecord('GNU.sparse.offset', '1');
    const length = encodePaxRecord('GNU.sparse.numbytes', '2');
    assert.deepEqual(parsePaxRecords(Buffer.concat([offset, length])).sparsePairs, ['1', '2']);
    assert.throws(() => parsePaxRecords(length), /out of order/);
    assert.throws(() => parsePaxRecords(Buffer.concat([offset, offset])), /out of order/);
  });
});

describe('pax times', () => {
  for (const { in: input, ok, want } of readTable<TimeCase>('pax-time')) {
    test(JSON.stringify(input), () => {
      if (ok) assert.equal(parsePaxTime(input), nanoseconds(String(want)));
      else assert.throws(() => parsePaxTime(input), isInvalid);
    });
  }
});

/** A table's time, `-SECONDS.NANOSECONDS` with the sign over both. */
function nanoseconds(text: string): bigint {
  const [seconds = '', fraction = ''] = text.replace('-', '').split('.');
  const magnitude = BigInt(seconds) * 1_000_000_000n + BigInt(fraction);
  return text.startsWith('-') ? -magnitude : magnitude;
}
