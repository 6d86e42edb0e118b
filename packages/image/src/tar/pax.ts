import { invalidTar } from './failure.ts';

/** The records of one extended header. */
export interface PaxRecords {
  /** Values by keyword, the last of each; views on the header's own bytes. */
  readonly values: ReadonlyMap<string, Buffer>;
  /** The keywords `GNU.sparse.offset` and `GNU.sparse.numbytes`, which repeat in sparse format 0.0, as one list of numbers. */
  readonly sparsePairs: readonly string[];
  /** Other keywords that came again with another value. */
  readonly repeated: readonly string[];
}

/** One record, and where the next one starts. */
export interface PaxRecord {
  readonly key: string;
  readonly value: Buffer;
  readonly next: number;
}

const keysWithoutNul: ReadonlySet<string> = new Set(['path', 'linkpath', 'uname', 'gname']);

/** Parses all of `bytes`, which must be records `LENGTH KEY=VALUE\n` without a gap (POSIX.1-2024 pax, "Extended Header"). */
export function parsePaxRecords(bytes: Buffer): PaxRecords {
  const values = new Map<string, Buffer>();
  const sparsePairs: string[] = [];
  const repeated: string[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const { key, value, next } = parsePaxRecord(bytes, offset);
    if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') {
      const expected = sparsePairs.length % 2 === 0 ? 'GNU.sparse.offset' : 'GNU.sparse.numbytes';
      if (key !== expected) throw invalidTar('the sparse records of a pax header are out of order');
      sparsePairs.push(value.toString('latin1'));
    } else {
      if (values.get(key)?.equals(value) === false) repeated.push(key);
      values.set(key, value);
    }
    offset = next;
  }
  return { values, sparsePairs, repeated };
}

/** Parses the record at `offset`. */
export function parsePaxRecord(bytes: Buffer, offset: number): PaxRecord {
  const { length, start } = parseLength(bytes, offset);
  const last = offset + length - 1;
  if (start > last || last >= bytes.length || bytes[last] !== 0x0a) {
    throw invalidTar('a pax record does not end where its length says');
  }
  const equals = bytes.indexOf(0x3d, start);
  if (equals < 0 || equals >= last) throw invalidTar('a pax record has no value');
  const key = bytes.toString('utf8', start, equals);
  const value = bytes.subarray(equals + 1, last);
  if (key === '' || key.includes('\0') || (keysWithoutNul.has(key) && value.includes(0))) {
    throw invalidTar(`a pax record has an invalid ${key.includes('\0') || key === '' ? 'keyword' : key}`);
  }
  return { key, value, next: last + 1 };
}

/** Decimal digits and one space; more than nine digits cannot be a length within the limits. */
function parseLength(bytes: Buffer, offset: number): { readonly length: number; readonly start: number } {
  let length = 0;
  let position = offset;
  for (; position < bytes.length && position - offset < 10; position++) {
    const digit = (bytes[position] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) break;
    length = length * 10 + digit;
  }
  if (position === offset || bytes[position] !== 0x20 || length < 5) {
    throw invalidTar('a pax record does not begin with its length');
  }
  return { length, start: position + 1 };
}

/** A pax time, decimal seconds with an optional fraction, in nanoseconds; digits after the ninth are dropped. */
export function parsePaxTime(text: string): bigint {
  const match = /^([+-]?)(\d{1,19})(?:\.(\d*))?$/.exec(text);
  if (match === null) throw invalidTar(`a pax time is not a number: ${text.slice(0, 40)}`);
  const [, sign = '', seconds = '', fraction = ''] = match;
  const magnitude = BigInt(seconds) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
  return sign === '-' ? -magnitude : magnitude;
}
