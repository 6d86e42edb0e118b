import type { DeviceRule } from '@ocijs/bundle/spec';
import type { DeviceRequest } from './ebpf.ts';

interface Entry {
  readonly type: string;
  readonly major: number;
  readonly minor: number;
  access: Set<string>;
}

/** The usual devices, as rules that come last where everything else is denied. */
const usual: readonly DeviceRule[] = [
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  ...[3, 5, 7, 8, 9].map((minor) => ({ allow: true, type: 'c', major: 1, minor }) as const),
  { allow: true, type: 'c', major: 5, minor: 0 },
  { allow: true, type: 'c', major: 5, minor: 2 },
  { allow: true, type: 'c', major: 136 },
];

/** A devices group as kernels with cgroup v1 keep it: told rule by rule, asked for each access. */
export function v1Devices(rules: readonly DeviceRule[]): (request: DeviceRequest) => boolean {
  let allows = false;
  let entries: Entry[] = [];
  const tell = (rule: DeviceRule): void => {
    const { allow, type = 'a', major = -1, minor = -1 } = rule;
    if (type === 'a') {
      allows = allow;
      entries = [];
      return;
    }
    const letters = [...(rule.access || 'rwm')];
    const same = entries.find(
      (entry) => entry.type === type && entry.major === major && entry.minor === minor,
    );
    if (allow === allows) for (const letter of letters) same?.access.delete(letter);
    else if (same === undefined) entries.push({ type, major, minor, access: new Set(letters) });
    else for (const letter of letters) same.access.add(letter);
    entries = entries.filter(({ access }) => access.size > 0);
  };
  for (const rule of rules) tell(rule);
  if (!allows) for (const rule of usual) tell(rule);
  return ({ type, major, minor, access }) => {
    const found = entries.filter(
      (entry) =>
        entry.type === type &&
        (entry.major === -1 || entry.major === major) &&
        (entry.minor === -1 || entry.minor === minor),
    );
    return allows
      ? !found.some((entry) => [...access].some((letter) => entry.access.has(letter)))
      : found.some((entry) => [...access].every((letter) => entry.access.has(letter)));
  };
}

/** What the last rule that speaks of one kind of access to a device says. */
export function lastRule(rules: readonly DeviceRule[], request: DeviceRequest): boolean {
  const speaks = ({ type = 'a', major = -1, minor = -1, access }: DeviceRule): boolean =>
    (type === 'a' || type === request.type) &&
    (major === -1 || major === request.major) &&
    (minor === -1 || minor === request.minor) &&
    (access || 'rwm').includes(request.access);
  const isUsual = usual.some(speaks);
  const { allow: base } = rules.findLast(({ type = 'a' }) => type === 'a') ?? { allow: false };
  return (!base && isUsual) || (rules.findLast(speaks)?.allow ?? false);
}
