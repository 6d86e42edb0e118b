import { invalidTar } from './failure.ts';

/** Where a field lies in a block. */
export interface FieldRange {
  readonly start: number;
  readonly end: number;
}

const int64Limit = 1n << 63n;

/**
 * Reads a numeric header field: octal digits between spaces and NULs, or, when the first bit is set, a
 * big-endian two's complement number of at most 64 bits. An empty field is 0. The result is a bigint only
 * when a number cannot hold it exactly.
 */
export function parseNumeric(block: Uint8Array, field: FieldRange): number | bigint {
  const first = block[field.start] ?? 0;
  return field.end > field.start && first >= 0x80 ? parseBinary(block, field) : parseOctal(block, field);
}

/** Reads octal digits between spaces and NULs, up to the first NUL behind them. */
export function parseOctal(block: Uint8Array, { start, end }: FieldRange): number {
  let position = start;
  while (position < end && isPadding(block[position])) position++;
  let value = 0;
  for (; position < end; position++) {
    const digit = (block[position] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  if (position < end && block[position] !== 0) requirePadding(block, { start: position, end });
  if (!Number.isSafeInteger(value)) throw invalidTar('a number in a tar header is too large');
  return value;
}

function requirePadding(block: Uint8Array, { start, end }: FieldRange): void {
  for (let position = start; position < end; position++) {
    if (!isPadding(block[position])) throw invalidTar('a number in a tar header is not octal');
  }
}

function isPadding(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0;
}

function parseBinary(block: Uint8Array, { start, end }: FieldRange): number | bigint {
  const negative = ((block[start] ?? 0) & 0x40) !== 0;
  const inversion = negative ? 0xff : 0;
  let magnitude = 0n;
  for (let position = start; position < end; position++) {
    const byte = (block[position] ?? 0) ^ inversion;
    magnitude = (magnitude << 8n) | BigInt(position === start ? byte & 0x7f : byte);
  }
  if (magnitude >= int64Limit) throw invalidTar('a number in a tar header does not fit in 64 bits');
  const value = negative ? -magnitude - 1n : magnitude;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** A decimal integer of a pax record, with an optional sign and any number of leading zeros. */
export function parseDecimal(text: string, what: string): number {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw invalidTar(`${what} is not a usable number: ${text.slice(0, 40)}`);
  return value;
}
