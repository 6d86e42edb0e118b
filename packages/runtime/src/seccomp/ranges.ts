import { notImplemented } from './actions.ts';
import type { ArchitectureRules, Verdict } from './rules.ts';

/** What happens to all system calls from this number up to the next range. */
export interface Range {
  readonly from: number;
  readonly verdict: Verdict;
}

/** A part of the number space that belongs to one architecture. */
export interface Segment {
  readonly from: number;
  /** The last number. */
  readonly to: number;
  /** Undefined for an architecture that the profile does not allow. */
  readonly rules: ArchitectureRules | undefined;
}

/** What happens to numbers that no rule is about. */
export interface Fallback {
  readonly defaultAction: number;
  readonly badArchitecture: number;
  /** True when numbers above the largest that the profile knows are answered by ENOSYS. */
  readonly isPatched: boolean;
  /** Numbers that get ENOSYS then whatever the rules say. */
  readonly neverImplemented: readonly number[];
}

/** The kernel's number for "no system call": a tracer sets it to skip one. */
const skipped = 0xffff_ffff;

function always(action: number): Verdict {
  return { rules: [], otherwise: action };
}

function largestOf({ rules }: Segment, { isPatched }: Fallback): number {
  // Zero is a system call too, but runc takes it for "none", and a profile of one call is no sign of a kernel's age.
  return isPatched && rules !== undefined && rules.largest > 0 ? rules.largest : Number.POSITIVE_INFINITY;
}

function listed(segment: Segment, fallback: Fallback): Map<number, Verdict> {
  const largest = largestOf(segment, fallback);
  const verdicts = new Map<number, Verdict>();
  for (const [number, verdict] of segment.rules?.verdicts ?? []) {
    if (number >= segment.from && number <= segment.to && number <= largest) verdicts.set(number, verdict);
  }
  if (segment.to === skipped && skipped <= largest) verdicts.set(skipped, always(fallback.defaultAction));
  if (largest === Number.POSITIVE_INFINITY) return verdicts;
  for (const number of fallback.neverImplemented) verdicts.set(number, always(notImplemented));
  return verdicts;
}

function fill(segment: Segment, fallback: Fallback): Range[] {
  const { from, to, rules } = segment;
  const ranges: Range[] = [];
  const largest = largestOf(segment, fallback);
  const rest = always(rules === undefined ? fallback.badArchitecture : fallback.defaultAction);
  let next = from;
  for (const [number, verdict] of [...listed(segment, fallback)].sort((a, b) => a[0] - b[0])) {
    if (number > next) ranges.push({ from: next, verdict: rest });
    ranges.push({ from: number, verdict });
    next = number + 1;
  }
  if (largest < from) return [{ from, verdict: always(notImplemented) }];
  if (next <= to && next <= largest) ranges.push({ from: next, verdict: rest });
  if (largest < to) ranges.push({ from: Math.max(from, largest + 1), verdict: always(notImplemented) });
  return ranges;
}

/** A text that is the same for equal verdicts. */
export function verdictKey({ rules, otherwise }: Verdict): string {
  const texts = rules.map(({ action, conditions }) => {
    const tests = conditions.map((one) => `${one.index}${one.isNegated}${one.test}${one.mask},${one.value}`);
    return `${action}:${tests.join(' ')}`;
  });
  return `${otherwise};${texts.join(';')}`;
}

/** True when two verdicts are the same; most have no rules, and are compared often. */
export function isSameVerdict(left: Verdict, right: Verdict): boolean {
  if (left === right) return true;
  if (left.otherwise !== right.otherwise || left.rules.length !== right.rules.length) return false;
  return left.rules.length === 0 || verdictKey(left) === verdictKey(right);
}

/** The number space from 0 on as ranges in ascending order; neighbours differ. */
export function syscallRanges(segments: readonly Segment[], fallback: Fallback): Range[] {
  const ranges: Range[] = [];
  for (const range of segments.flatMap((segment) => fill(segment, fallback))) {
    const last = ranges.at(-1);
    if (last === undefined || !isSameVerdict(last.verdict, range.verdict)) ranges.push(range);
  }
  return ranges;
}
