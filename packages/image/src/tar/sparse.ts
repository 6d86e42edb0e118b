import type { SparseSegment } from './entry.ts';
import { invalidTar, tarLimitExceeded } from './failure.ts';
import { checkSize } from './header.ts';
import { SPARSE_MAP_LIMIT } from './limits.ts';
import { parseDecimal, parseNumeric } from './numeric.ts';
import type { PaxRecords } from './pax.ts';

/** Collects the segments of one sparse file, from blocks that the parser feeds. */
export interface SparseMapDecoder {
  /** Takes one block of 512 bytes; true when the map is complete. */
  push(block: Buffer): boolean;
  readonly segments: readonly SparseSegment[];
}

const entryBytes = 24;

/** The old GNU map: four segments in the header block, 21 in each extension block behind it. */
export function createGnuSparseDecoder(): SparseMapDecoder {
  const segments: SparseSegment[] = [];
  let bytes = 0;
  function push(block: Buffer): boolean {
    const isHeader = bytes === 0;
    bytes += 512;
    checkMapSize(bytes);
    const start = isHeader ? 386 : 0;
    const count = isHeader ? 4 : 21;
    for (let index = 0; index < count; index++) {
      const offset = start + index * entryBytes;
      if (block[offset] === 0) break;
      segments.push({
        offset: checkSize(parseNumeric(block, { start: offset, end: offset + 12 })),
        length: checkSize(parseNumeric(block, { start: offset + 12, end: offset + 24 })),
      });
    }
    return block[start + count * entryBytes] === 0;
  }
  return { push, segments };
}

/** The expanded size in an old GNU sparse header. */
export function gnuRealSize(block: Buffer): number {
  return checkSize(parseNumeric(block, { start: 483, end: 495 }));
}

/** The map of pax sparse format 1.0: lines of decimal digits at the front of the file's own data. */
export function createPaxSparseDecoder(): SparseMapDecoder {
  const segments: SparseSegment[] = [];
  let bytes = 0;
  let digits = '';
  let expected = -1;
  let offset = -1;

  function takeNumber(): void {
    const value = checkSize(parseDecimal(digits, 'a number in a sparse map'));
    digits = '';
    if (expected < 0) expected = value;
    else if (offset < 0) offset = value;
    else {
      segments.push({ offset, length: value });
      offset = -1;
    }
  }
  function push(block: Buffer): boolean {
    bytes += 512;
    checkMapSize(bytes);
    for (let index = 0; index < 512 && segments.length !== expected; index++) {
      const byte = block[index] ?? 0;
      if (byte === 0x0a) takeNumber();
      else digits += String.fromCharCode(byte);
      if (digits.length > 32) throw invalidTar('a sparse map holds something that is not a number');
    }
    return segments.length === expected;
  }
  return { push, segments };
}

function checkMapSize(bytes: number): void {
  if (bytes > SPARSE_MAP_LIMIT) {
    throw tarLimitExceeded('the map of a sparse file', { limit: SPARSE_MAP_LIMIT, actual: bytes });
  }
}

/** How pax records describe a sparse file; undefined when they do not, or in a version that nobody knows. */
export function paxSparseFormat({ values, sparsePairs }: PaxRecords): 'records' | 'data' | undefined {
  const major = values.get('GNU.sparse.major')?.toString('latin1') ?? '';
  const minor = values.get('GNU.sparse.minor')?.toString('latin1') ?? '';
  if (major === '0' && (minor === '0' || minor === '1')) return 'records';
  if (major === '1' && minor === '0') return 'data';
  if (major !== '' || minor !== '') return undefined;
  const map = values.get('GNU.sparse.map');
  return sparsePairs.length > 0 || (map !== undefined && map.length > 0) ? 'records' : undefined;
}

/** The map of pax sparse formats 0.0 and 0.1, which is in the records. */
export function paxRecordSegments({ values, sparsePairs }: PaxRecords): readonly SparseSegment[] {
  const count = parseDecimal(values.get('GNU.sparse.numblocks')?.toString('latin1') ?? '', 'a segment count');
  const map = values.get('GNU.sparse.map')?.toString('latin1') ?? '';
  const numbers = sparsePairs.length > 0 ? sparsePairs : map === '' ? [] : map.split(',');
  if (numbers.length !== 2 * count) throw invalidTar('a sparse map has another length than it claims');
  const segments: SparseSegment[] = [];
  for (let index = 0; index < numbers.length; index += 2) {
    segments.push({
      offset: checkSize(parseDecimal(numbers[index] ?? '', 'an offset in a sparse map')),
      length: checkSize(parseDecimal(numbers[index + 1] ?? '', 'a length in a sparse map')),
    });
  }
  return segments;
}

/** Checks order, bounds and the amount of data, and drops the empty segments that writers put at the end. */
export function checkSegments(
  segments: readonly SparseSegment[],
  { size, dataBytes }: { readonly size: number; readonly dataBytes: number },
): readonly SparseSegment[] {
  let end = 0;
  let total = 0;
  for (const { offset, length } of segments) {
    if (offset < end || offset + length > size) {
      throw invalidTar('the segments of a sparse file overlap or lie outside of the file');
    }
    end = offset + length;
    total += length;
  }
  if (total !== dataBytes) {
    throw invalidTar('a sparse file has another amount of data than its map says', {
      expected: total,
      actual: dataBytes,
    });
  }
  return segments.filter(({ length }) => length > 0);
}
