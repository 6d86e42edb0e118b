import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOciError } from '../errors.ts';
import { parseDecimal, parseNumeric } from './numeric.ts';
import { readTable, type TableText, tableBytes } from './testing/table.ts';

interface NumericCase {
  readonly in: TableText;
  readonly want: number | 'math.MaxInt64' | 'math.MinInt64';
  readonly ok: boolean;
}

// JSON.parse rounds the two numbers of the table that need more than 53 bits, so they are compared rounded.
const limits = { 'math.MaxInt64': 2 ** 63, 'math.MinInt64': -(2 ** 63) } as const;

for (const { in: input, want, ok } of readTable<NumericCase>('numeric-fields')) {
  const bytes = tableBytes(input);
  test(`numeric field ${JSON.stringify(input)}`, () => {
    const parse = (): number | bigint => parseNumeric(bytes, { start: 0, end: bytes.length });
    if (ok) assert.equal(Number(parse()), typeof want === 'number' ? want : limits[want]);
    else assert.throws(parse, (error) => isOciError(error, 'ERR_OCI_TAR_INVALID'));
  });
}

test('a number that does not fit a double keeps all its digits', () => {
  const bytes = Buffer.from('h3aiIuuKcmE=', 'base64');
  assert.equal(parseNumeric(bytes, { start: 0, end: 8 }), 537795476381659745n);
});

test('only the field is read', () => {
  assert.equal(parseNumeric(Buffer.from('777123\u0000 9'), { start: 3, end: 8 }), 0o123);
});

test('a decimal number is an integer within the safe range', () => {
  assert.equal(parseDecimal('-007', 'x'), -7);
  for (const text of ['', ' 1', '1.5', '1e3', '0x10', '9007199254740993', '½']) {
    assert.throws(() => parseDecimal(text, 'x'), /x is not a usable number/, text);
  }
});
