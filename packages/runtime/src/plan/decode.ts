import type { PlanHeader } from './encode.ts';
import { fieldNames, planMagic, planVersion, sections, stepTags } from './format.ts';

/** A step as it is in the bytes of a plan; fields that occur more than once have a list. */
export interface DecodedStep {
  readonly section: string;
  readonly tag: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

function nameOf(table: Readonly<Record<string, number>>, number: number): string {
  const name = Object.entries(table).find(([, value]) => value === number)?.[0];
  if (name === undefined) throw new RangeError(`the plan has an unknown number ${number}`);
  return name;
}

function decodeValue(name: number, bytes: Buffer): unknown {
  if (name >> 12 === 1) return bytes.toString('utf8', 0, bytes.length - 1);
  if (name >> 12 === 3) return bytes.toString('hex');
  const number = bytes.readBigUInt64LE();
  return number <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(number) : number;
}

function decodeFields(payload: Buffer): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (let at = 0; at < payload.length; ) {
    const number = payload.readUInt32LE(at);
    const length = payload.readUInt32LE(at + 4);
    const name = nameOf(fieldNames, number);
    const value = decodeValue(number, payload.subarray(at + 8, at + 8 + length));
    const before = fields[name];
    if (before === undefined) fields[name] = value;
    else fields[name] = Array.isArray(before) ? [...before, value] : [before, value];
    at += 8 + Math.ceil(length / 4) * 4;
  }
  return fields;
}

/** Reads a plan back, for tests and for a person who debugs one. Throws RangeError for bytes that are none. */
export function decodePlan(bytes: Buffer): {
  readonly header: PlanHeader;
  readonly steps: readonly DecodedStep[];
} {
  if (bytes.readUInt32LE(0) !== planMagic || bytes.readUInt32LE(4) !== planVersion) {
    throw new RangeError('not a launch plan');
  }
  const steps: DecodedStep[] = [];
  for (let at = 32; at < bytes.length; ) {
    const length = bytes.readUInt32LE(at + 8);
    steps.push({
      section: nameOf(sections, bytes.readUInt32LE(at)),
      tag: nameOf(stepTags, bytes.readUInt32LE(at + 4)),
      fields: decodeFields(bytes.subarray(at + 16, at + 16 + length)),
    });
    at += 16 + length;
  }
  if (steps.length !== bytes.readUInt32LE(24)) throw new RangeError('the plan has another number of steps');
  const header = {
    flags: bytes.readUInt32LE(12),
    cloneFlags: bytes.readUInt32LE(16),
    preservedFds: bytes.readUInt32LE(20),
  };
  return { header, steps };
}
