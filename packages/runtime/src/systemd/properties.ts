import type { CgroupWrite } from '../cgroup/writes.ts';
import { numberListBits } from '../plan/number-list.ts';
import type { Value, Variant } from './signature.ts';

/** A property of a unit, as D-Bus carries it. */
export type Property = readonly [name: string, value: Variant];

const infinity = 2n ** 64n - 1n;

function property(name: string, signature: string, value: Value): Property {
  return [name, { signature, value }];
}

function number(name: string, text: string): Property[] {
  return [property(name, 't', text === 'max' ? infinity : BigInt(text))];
}

/** A quota of each second, in steps of ten milliseconds: finer ones are rounded up by systemd's own tools too. */
function cpuQuota(text: string): Property[] {
  const [quota = 'max', period = '100000'] = text.split(' ');
  const periodProperty = property('CPUQuotaPeriodUSec', 't', BigInt(period));
  if (quota === 'max') return [periodProperty, property('CPUQuotaPerSecUSec', 't', infinity)];
  const perSecond = (BigInt(quota) * 1_000_000n) / BigInt(period);
  return [periodProperty, property('CPUQuotaPerSecUSec', 't', ((perSecond + 9999n) / 10_000n) * 10_000n)];
}

function bits(name: string, list: string): Property[] {
  const mask = numberListBits(list, {
    limit: 8192,
    jsonPath: '$.linux.resources.cpu',
    what: 'a list of numbers',
  });
  return [property(name, 'ay', [...mask])];
}

const byFile: Readonly<Record<string, (value: string) => Property[]>> = {
  'memory.max': (value) => number('MemoryMax', value),
  'memory.high': (value) => number('MemoryHigh', value),
  'memory.low': (value) => number('MemoryLow', value),
  'memory.min': (value) => number('MemoryMin', value),
  'memory.swap.max': (value) => number('MemorySwapMax', value),
  'pids.max': (value) => number('TasksMax', value),
  'cpu.weight': (value) => number('CPUWeight', value),
  'cpu.max': cpuQuota,
  'cpuset.cpus': (value) => bits('AllowedCPUs', value),
  'cpuset.mems': (value) => bits('AllowedMemoryNodes', value),
  'io.weight': (value) => (/^\d+$/.test(value) ? number('IOWeight', value) : []),
};

/**
 * What systemd has to know of limits, so that it does not take them back when it reloads: those that it has properties
 * for. All of them are written to the group besides.
 */
export function limitProperties(writes: readonly CgroupWrite[]): Property[] {
  return writes.flatMap(({ file, value, alternatives = [] }) =>
    [{ file, value }, ...alternatives].flatMap((form) => byFile[form.file]?.(form.value) ?? []),
  );
}

/** The properties of a container's scope. */
export function scopeProperties(options: {
  readonly id: string;
  readonly slice: string;
  readonly pid: number;
  readonly isSlice: boolean;
}): Property[] {
  const { id, slice, pid, isSlice } = options;
  return [
    property('Description', 's', `OCI container ${id}`),
    property('DefaultDependencies', 'b', false),
    property('CollectMode', 's', 'inactive-or-failed'),
    ...['CPU', 'Memory', 'IO', 'Tasks'].map((name) => property(`${name}Accounting`, 'b', true)),
    // A slice holds no processes and has its place by its name.
    ...(isSlice
      ? []
      : [property('Slice', 's', slice), property('Delegate', 'b', true), property('PIDs', 'au', [pid])]),
  ];
}
