import { RuntimeError } from '../errors.ts';
import {
  type FieldName,
  fieldNames,
  planMagic,
  planSizeLimit,
  planVersion,
  sections,
  stepTags,
} from './format.ts';
import type { FieldValue, Step } from './step.ts';

/** What stands at the head of a plan. */
export interface PlanHeader {
  /** A sum of `planFlags`. */
  readonly flags: number;
  /** Flags of clone3(2) for the container's process. */
  readonly cloneFlags: number;
  /** How many descriptors behind the standard ones the container gets. */
  readonly preservedFds: number;
}

/** Bytes that grow at their end. One piece of memory, because a plan is hundreds of small values in a process that has just started. */
interface Output {
  bytes: Buffer;
  length: number;
}

const headerSize = 32;
const stepSize = 16;
const fieldSize = 8;

function tooLarge(actual: number): RuntimeError {
  return new RuntimeError(
    'ERR_OCI_SPEC_UNSUPPORTED',
    `the configuration is too large to run: ${actual} bytes`,
    {
      actual,
      limit: planSizeLimit,
    },
  );
}

/** Makes room for more bytes, all zero, and gives their place. */
function append(output: Output, count: number): number {
  const start = output.length;
  output.length += count;
  if (output.length > output.bytes.length) {
    const larger = Buffer.alloc(output.length * 2);
    larger.set(output.bytes);
    output.bytes = larger;
  }
  return start;
}

function writeNumber(output: Output, name: FieldName, value: number | bigint): void {
  const start = append(output, fieldSize + 8);
  const { bytes } = output;
  bytes.writeUInt32LE(fieldNames[name], start);
  bytes.writeUInt32LE(8, start + 4);
  if (typeof value === 'number' && value >>> 0 === value) {
    bytes.writeUInt32LE(value, start + fieldSize);
    return;
  }
  const number = BigInt(value);
  if (number < 0n || number >= 1n << 64n) throw new RangeError(`${name} does not fit into 64 bits`);
  bytes.writeBigUInt64LE(number, start + fieldSize);
}

/** Makes a field of some length, and gives the place of its value. */
function writeLength(output: Output, name: FieldName, length: number): number {
  const start = append(output, fieldSize + Math.ceil(length / 4) * 4);
  output.bytes.writeUInt32LE(fieldNames[name], start);
  output.bytes.writeUInt32LE(length, start + 4);
  return start + fieldSize;
}

function writeText(output: Output, name: FieldName, value: string): void {
  if (value.includes('\0')) {
    throw new RuntimeError(
      'ERR_OCI_SPEC_CONFLICT',
      `config.json: ${JSON.stringify(value)} contains a NUL character`,
    );
  }
  const start = writeLength(output, name, Buffer.byteLength(value) + 1);
  output.bytes.write(value, start);
}

function writeField(output: Output, name: FieldName, value: FieldValue | undefined): void {
  if (typeof value === 'string') writeText(output, name, value);
  else if (typeof value === 'number' || typeof value === 'bigint') writeNumber(output, name, value);
  else if (value instanceof Uint8Array) {
    const start = writeLength(output, name, value.length);
    output.bytes.set(value, start);
  } else for (const one of value ?? []) writeText(output, name, one);
}

function writeStep(output: Output, { section, tag, fields }: Step): void {
  const start = append(output, stepSize);
  for (const [name, value] of Object.entries(fields)) writeField(output, name as FieldName, value);
  output.bytes.writeUInt32LE(sections[section], start);
  output.bytes.writeUInt32LE(stepTags[tag], start + 4);
  output.bytes.writeUInt32LE(output.length - start - stepSize, start + 8);
}

/** The bytes of a plan, as `native/plan.h` describes them. Throws ERR_OCI_SPEC_UNSUPPORTED above `planSizeLimit`. */
export function encodePlan(header: PlanHeader, steps: readonly Step[]): Buffer {
  const output: Output = { bytes: Buffer.alloc(32 << 10), length: headerSize };
  for (const step of steps) writeStep(output, step);
  const { length } = output;
  if (length > planSizeLimit) throw tooLarge(length);
  const numbers = [planMagic, planVersion, length, header.flags, header.cloneFlags, header.preservedFds];
  const bytes = output.bytes.subarray(0, length);
  for (const [index, number] of [...numbers, steps.length].entries()) bytes.writeUInt32LE(number, index * 4);
  return bytes;
}
