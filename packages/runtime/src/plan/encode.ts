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

function encodeValue(name: FieldName, value: Exclude<FieldValue, readonly string[]>): Uint8Array {
  if (typeof value === 'string') {
    if (value.includes('\0')) {
      throw new RuntimeError(
        'ERR_OCI_SPEC_CONFLICT',
        `config.json: ${JSON.stringify(value)} contains a NUL character`,
      );
    }
    return Buffer.from(`${value}\0`);
  }
  if (value instanceof Uint8Array) return value;
  const bytes = Buffer.alloc(8);
  const number = BigInt(value);
  if (number < 0n || number >= 1n << 64n) throw new RangeError(`${name} does not fit into 64 bits`);
  bytes.writeBigUInt64LE(number);
  return bytes;
}

function encodeField(name: FieldName, value: Exclude<FieldValue, readonly string[]>): Uint8Array {
  const bytes = encodeValue(name, value);
  const field = Buffer.alloc(8 + Math.ceil(bytes.length / 4) * 4);
  field.writeUInt32LE(fieldNames[name], 0);
  field.writeUInt32LE(bytes.length, 4);
  field.set(bytes, 8);
  return field;
}

function encodeStep(step: Step): Uint8Array[] {
  const fields = Object.entries(step.fields).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const values = Array.isArray(value) ? value : [value];
    return values.map((one) => encodeField(name as FieldName, one));
  });
  const header = Buffer.alloc(16);
  header.writeUInt32LE(sections[step.section], 0);
  header.writeUInt32LE(stepTags[step.tag], 4);
  header.writeUInt32LE(
    fields.reduce((sum, { length }) => sum + length, 0),
    8,
  );
  return [header, ...fields];
}

/** The bytes of a plan, as `native/plan.h` describes them. Throws ERR_OCI_SPEC_UNSUPPORTED above `planSizeLimit`. */
export function encodePlan(header: PlanHeader, steps: readonly Step[]): Buffer {
  const first = Buffer.alloc(32);
  const bytes = Buffer.concat([first, ...steps.flatMap(encodeStep)]);
  if (bytes.length > planSizeLimit) throw tooLarge(bytes.length);
  const numbers = [
    planMagic,
    planVersion,
    bytes.length,
    header.flags,
    header.cloneFlags,
    header.preservedFds,
  ];
  for (const [index, number] of [...numbers, steps.length].entries()) bytes.writeUInt32LE(number, index * 4);
  return bytes;
}
