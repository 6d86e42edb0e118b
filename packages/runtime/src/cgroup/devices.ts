import type { DeviceRule } from '@ocijs/bundle/spec';
import { devicePolicy, rangeText } from './device-policy.ts';
import type { CgroupWrite } from './writes.ts';

/** The writes that give a new v1 group exactly the rules' effect. Throws what `devicePolicy` throws. */
export function deviceWrites(rules: readonly DeviceRule[]): CgroupWrite[] {
  const { allowed, exceptions } = devicePolicy(rules);
  const [base, exception] = allowed ? ['devices.allow', 'devices.deny'] : ['devices.deny', 'devices.allow'];
  const write = (file: string, value: string): CgroupWrite => ({ controller: 'devices', file, value });
  return [
    write(base, 'a'),
    ...exceptions.map(({ access, ...range }) => write(exception, `${rangeText(range)} ${access}`)),
  ];
}
