import type { DeviceRule } from '@ocijs/bundle/spec';
import { RuntimeError } from '../errors.ts';
import type { CgroupWrite } from './writes.ts';

/** The devices that every container may use, whatever its rules say (runtime-spec `config-linux.md`). */
const alwaysAllowed: readonly DeviceRule[] = [
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  { allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' },
  { allow: true, type: 'c', major: 1, minor: 5, access: 'rwm' },
  { allow: true, type: 'c', major: 1, minor: 7, access: 'rwm' },
  { allow: true, type: 'c', major: 1, minor: 8, access: 'rwm' },
  { allow: true, type: 'c', major: 1, minor: 9, access: 'rwm' },
  { allow: true, type: 'c', major: 5, minor: 0, access: 'rwm' },
  { allow: true, type: 'c', major: 5, minor: 2, access: 'rwm' },
  { allow: true, type: 'c', major: 136, access: 'rwm' },
];

/** What a list of rules comes to: a default, and what differs from it by device. */
interface DevicePolicy {
  allowed: boolean;
  readonly exceptions: Map<string, Set<string>>;
}

function numberText(value: number | undefined): string {
  return value === undefined || value === -1 ? '*' : String(value);
}

function overlaps(left: string, right: string): boolean {
  const parts = right.split(/[ :]/);
  return left
    .split(/[ :]/)
    .every((part, index) => part === parts[index] || [part, parts[index]].includes('*'));
}

function refuse(index: number, reason: string): RuntimeError {
  return new RuntimeError('ERR_OCI_SPEC_UNSUPPORTED', `device rule ${index} ${reason}`, {
    jsonPath: `$.linux.resources.devices[${index}]`,
    hint: 'cgroup v1 knows one default and exceptions to it; write the rules in that form.',
  });
}

function applyRule(policy: DevicePolicy, rule: DeviceRule, index: number): void {
  const access = rule.access || 'rwm';
  if (!rule.type || rule.type === 'a') {
    if (
      ['r', 'w', 'm'].some((letter) => !access.includes(letter)) ||
      numberText(rule.major) !== '*' ||
      numberText(rule.minor) !== '*'
    ) {
      throw refuse(index, 'is for all devices, but not for every number and access');
    }
    policy.allowed = rule.allow;
    policy.exceptions.clear();
    return;
  }
  const device = `${rule.type} ${numberText(rule.major)}:${numberText(rule.minor)}`;
  if (rule.allow !== policy.allowed) {
    policy.exceptions.set(device, new Set([...(policy.exceptions.get(device) ?? []), ...access]));
    return;
  }
  for (const [other, letters] of policy.exceptions) {
    const shared = [...access].some((letter) => letters.has(letter));
    if (other !== device && shared && overlaps(other, device)) {
      throw refuse(index, `takes back a part of an earlier rule for ${other}`);
    }
  }
  const left = [...(policy.exceptions.get(device) ?? [])].filter((letter) => !access.includes(letter));
  if (left.length === 0) policy.exceptions.delete(device);
  else policy.exceptions.set(device, new Set(left));
}

/**
 * The writes that give a new v1 group exactly the rules' effect: everything denied to start with, the rules
 * in their order, then the devices that every container may use. Throws ERR_OCI_SPEC_UNSUPPORTED for rules that
 * v1 cannot express.
 */
export function deviceWrites(rules: readonly DeviceRule[]): CgroupWrite[] {
  const policy: DevicePolicy = { allowed: false, exceptions: new Map() };
  for (const [index, rule] of rules.entries()) applyRule(policy, rule, index);
  if (!policy.allowed) {
    for (const rule of alwaysAllowed) applyRule(policy, rule, -1);
  }
  const [base, exception] = policy.allowed
    ? ['devices.allow', 'devices.deny']
    : ['devices.deny', 'devices.allow'];
  const write = (file: string, value: string): CgroupWrite => ({ controller: 'devices', file, value });
  return [
    write(base, 'a'),
    ...[...policy.exceptions].map(([device, letters]) =>
      write(exception, `${device} ${['r', 'w', 'm'].filter((letter) => letters.has(letter)).join('')}`),
    ),
  ];
}
