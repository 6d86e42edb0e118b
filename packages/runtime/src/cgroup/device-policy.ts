import type { DeviceRule } from '@ocijs/bundle/spec';
import { RuntimeError } from '../errors.ts';

/** A device or a range of devices; without a number it stands for all of them. */
export interface DeviceRange {
  readonly type: 'b' | 'c';
  readonly major?: number | undefined;
  readonly minor?: number | undefined;
}

/** What differs from the default for a range of devices. */
export interface DeviceException extends DeviceRange {
  /** Some of `r`, `w` and `m`, in this order. */
  readonly access: string;
}

/**
 * What a list of rules comes to: a default, and exceptions to it. With the semantics of a cgroup v1 devices group: where
 * the default is to deny, one exception must cover all that is asked for; else no exception may touch any of it.
 */
export interface DevicePolicy {
  readonly allowed: boolean;
  readonly exceptions: readonly DeviceException[];
}

/** The devices that every container may use, whatever its rules say (runtime-spec `config-linux.md`). */
const alwaysAllowed: readonly DeviceException[] = [
  { type: 'c', access: 'm' },
  { type: 'b', access: 'm' },
  { type: 'c', major: 1, minor: 3, access: 'rwm' },
  { type: 'c', major: 1, minor: 5, access: 'rwm' },
  { type: 'c', major: 1, minor: 7, access: 'rwm' },
  { type: 'c', major: 1, minor: 8, access: 'rwm' },
  { type: 'c', major: 1, minor: 9, access: 'rwm' },
  { type: 'c', major: 5, minor: 0, access: 'rwm' },
  { type: 'c', major: 5, minor: 2, access: 'rwm' },
  { type: 'c', major: 136, access: 'rwm' },
];

/** The number above it stands for all devices in the kernel. */
const numberLimit = 2 ** 32 - 2;

/** The exceptions so far, each at the text of its range. */
type Exceptions = Map<string, DeviceException>;

/** A range as the kernel writes it: `c 1:*`. */
export function rangeText({ type, major, minor }: DeviceRange): string {
  return `${type} ${major ?? '*'}:${minor ?? '*'}`;
}

function refuse(index: number, reason: string): RuntimeError {
  return new RuntimeError('ERR_OCI_SPEC_UNSUPPORTED', `device rule ${index} ${reason}`, {
    jsonPath: `$.linux.resources.devices[${index}]`,
    hint: 'Device rules come to one default and exceptions to it; write the rules in that form.',
  });
}

function number(value: number | undefined, index: number): number | undefined {
  if (value === undefined || value === -1) return undefined;
  if (Number.isInteger(value) && value >= 0 && value <= numberLimit) return value;
  throw new RuntimeError('ERR_OCI_SPEC_CONFLICT', `device rule ${index} has no device number: ${value}`, {
    jsonPath: `$.linux.resources.devices[${index}]`,
  });
}

function meets(left: number | undefined, right: number | undefined): boolean {
  return left === undefined || right === undefined || left === right;
}

function overlaps(left: DeviceRange, right: DeviceRange): boolean {
  return left.type === right.type && meets(left.major, right.major) && meets(left.minor, right.minor);
}

function letters(keep: (letter: string) => boolean): string {
  return ['r', 'w', 'm'].filter(keep).join('');
}

function add(exceptions: Exceptions, { access, ...range }: DeviceException): void {
  const key = rangeText(range);
  const before = exceptions.get(key)?.access ?? '';
  exceptions.set(key, { ...range, access: letters((letter) => (before + access).includes(letter)) });
}

function takeBack(exceptions: Exceptions, { access, ...range }: DeviceException, index: number): void {
  const key = rangeText(range);
  for (const [other, exception] of exceptions) {
    const shared = [...access].some((letter) => exception.access.includes(letter));
    if (other !== key && shared && overlaps(exception, range)) {
      throw refuse(index, `takes back a part of an earlier rule for ${other}`);
    }
  }
  const before = exceptions.get(key)?.access ?? '';
  const left = letters((letter) => before.includes(letter) && !access.includes(letter));
  if (left === '') exceptions.delete(key);
  else exceptions.set(key, { ...range, access: left });
}

/** The letters of a rule; none stands for all. An `a`, which runc ignores, takes everything away and gives nothing. */
function accessOf({ access = '', allow }: DeviceRule): string {
  if (access === '' || (access.includes('a') && !allow)) return 'rwm';
  return access.replaceAll('a', '');
}

/**
 * The effect of `linux.resources.devices`: everything denied to start with, the rules in their order, then the devices
 * that every container may use. Throws ERR_OCI_SPEC_UNSUPPORTED for rules that are no default with exceptions,
 * such as a hole in an earlier rule, and ERR_OCI_SPEC_CONFLICT for numbers that no device has.
 */
export function devicePolicy(rules: readonly DeviceRule[]): DevicePolicy {
  let allowed = false;
  const exceptions: Exceptions = new Map();
  for (const [index, rule] of rules.entries()) {
    const access = accessOf(rule);
    const major = number(rule.major, index);
    const minor = number(rule.minor, index);
    if (rule.type === 'b' || rule.type === 'c') {
      if (access === '') continue;
      const exception = { type: rule.type, major, minor, access };
      if (rule.allow === allowed) takeBack(exceptions, exception, index);
      else add(exceptions, exception);
      continue;
    }
    const isAll = ['r', 'w', 'm'].every((letter) => access.includes(letter));
    if (!isAll || major !== undefined || minor !== undefined) {
      throw refuse(index, 'is for all devices, but not for every number and access');
    }
    allowed = rule.allow;
    exceptions.clear();
  }
  if (!allowed) for (const exception of alwaysAllowed) add(exceptions, exception);
  return { allowed, exceptions: [...exceptions.values()] };
}
