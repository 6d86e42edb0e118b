import type { Architecture } from './architectures.ts';
import type { Assembler, Target } from './assembler.ts';
import type { Condition } from './conditions.ts';

const half = 0xffff_ffff;
const argumentsOffset = 16;

interface Comparison extends Omit<Condition, 'isNegated'> {
  readonly yes: Target;
  readonly no: Target;
}

/** Where in struct seccomp_data one half of an argument is. */
function offset(index: number, which: 'high' | 'low', { endian }: Architecture): number {
  const isSecond = (which === 'high') === (endian === 'little');
  return argumentsOffset + 8 * index + (isSecond ? 4 : 0);
}

function split(value: bigint): { readonly high: number; readonly low: number } {
  return { high: Number(value >> 32n), low: Number(value & 0xffff_ffffn) };
}

type Half = 'high' | 'low';

/** Loads one half of an argument in front of the jumps that were made last. */
function load(assembler: Assembler, [index, which]: [number, Half], architecture: Architecture): Target {
  return assembler.prepend('loadAbsolute', offset(index, which, architecture));
}

function equal(assembler: Assembler, comparison: Comparison, architecture: Architecture): Target {
  const { index, yes, no } = comparison;
  const mask = split(comparison.mask);
  const value = split(comparison.value);
  let target = yes;
  for (const which of architecture.bits === 64 ? (['low', 'high'] as const) : (['low'] as const)) {
    if (mask[which] === 0) continue;
    target = assembler.jump('jumpEqual', value[which], { yes: target, no });
    if (mask[which] !== half) assembler.prepend('and', mask[which]);
    target = load(assembler, [index, which], architecture);
  }
  return target;
}

function greater(assembler: Assembler, comparison: Comparison, architecture: Architecture): Target {
  const { index, yes, no } = comparison;
  const { high, low } = split(comparison.value);
  const orEqual = comparison.test === 'greaterOrEqual';
  assembler.jump(orEqual ? 'jumpGreaterOrEqual' : 'jumpGreater', low, { yes, no });
  const byLow = load(assembler, [index, 'low'], architecture);
  if (architecture.bits === 32) return byLow;
  // Nothing is below zero, and nothing is above all ones: one comparison is enough then.
  const otherwise = high === 0 ? yes : no;
  const atEqual = assembler.jump('jumpEqual', high, { yes: byLow, no: otherwise });
  if (high !== 0 && high !== half) assembler.jump('jumpGreater', high, { yes, no: atEqual });
  return load(assembler, [index, 'high'], architecture);
}

/**
 * Puts a comparison of an argument in front: to `yes` when the condition holds, to `no` otherwise. Filters see 32 bits
 * at a time; on 32-bit architectures only the lower half of the argument and of the value counts.
 */
export function compare(
  assembler: Assembler,
  condition: Condition,
  {
    yes,
    no,
    architecture,
  }: { readonly yes: Target; readonly no: Target; readonly architecture: Architecture },
): Target {
  const targets = condition.isNegated ? { yes: no, no: yes } : { yes, no };
  const comparison = { ...condition, ...targets };
  return condition.test === 'equal'
    ? equal(assembler, comparison, architecture)
    : greater(assembler, comparison, architecture);
}
