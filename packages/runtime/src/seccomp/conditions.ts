import { profileError } from './profile-error.ts';
import type { ProfileArgument } from './types.ts';

const all64 = 0xffff_ffff_ffff_ffffn;

/** One comparison of an argument: `(argument & mask) TEST value`, or its opposite. */
export interface Condition {
  readonly index: number;
  readonly test: 'equal' | 'greater' | 'greaterOrEqual';
  readonly isNegated: boolean;
  readonly mask: bigint;
  readonly value: bigint;
}

const tests: Readonly<Record<string, Pick<Condition, 'test' | 'isNegated'>>> = {
  SCMP_CMP_EQ: { test: 'equal', isNegated: false },
  SCMP_CMP_NE: { test: 'equal', isNegated: true },
  SCMP_CMP_GT: { test: 'greater', isNegated: false },
  SCMP_CMP_LE: { test: 'greater', isNegated: true },
  SCMP_CMP_GE: { test: 'greaterOrEqual', isNegated: false },
  SCMP_CMP_LT: { test: 'greaterOrEqual', isNegated: true },
};

/** The names of all comparisons, sorted. */
export const operatorNames: readonly string[] = [...Object.keys(tests), 'SCMP_CMP_MASKED_EQ'].sort();

function exact(value: number | bigint, jsonPath: string): bigint {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw profileError(
      jsonPath,
      'is too large for an exact JavaScript number',
      'Give it as a bigint; in the config.json of a bundle it can have 64 bits.',
    );
  }
  const result = BigInt(value);
  if (result < 0n || result > all64) throw profileError(jsonPath, `is no unsigned 64-bit number: ${value}`);
  return result;
}

/**
 * The meaning of one entry of `args`. As in libseccomp, SCMP_CMP_MASKED_EQ ignores bits of `valueTwo` beyond the
 * mask in `value`. Throws ERR_OCI_SPEC_UNSUPPORTED.
 */
export function readCondition(argument: ProfileArgument, jsonPath: string): Condition {
  const { index, op } = argument;
  if (!Number.isInteger(index) || index < 0 || index > 5) {
    throw profileError(`${jsonPath}.index`, `is no argument of a system call: ${index}`);
  }
  const value = exact(argument.value, `${jsonPath}.value`);
  if (op === 'SCMP_CMP_MASKED_EQ') {
    const wanted = exact(argument.valueTwo ?? 0, `${jsonPath}.valueTwo`);
    return { index, test: 'equal', isNegated: false, mask: value, value: wanted & value };
  }
  const test = Object.hasOwn(tests, op) ? tests[op] : undefined;
  if (test === undefined) throw profileError(`${jsonPath}.op`, `${JSON.stringify(op)} is not known`);
  return { index, ...test, mask: all64, value };
}
