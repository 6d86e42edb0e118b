import { counter, readCounter, readTable, readText, times, withoutZeros } from './read.ts';
import type { BlockEntry, ContainerStats, Counter, MemoryEntry, Pressure, PressureEntry } from './types.ts';

/** What runc prints for "max". */
const unlimited = 2n ** 64n - 1n;

function limit(path: string): Counter {
  const text = readText(path);
  return text === 'max' ? unlimited : counter(text);
}

function pressure(path: string): { readonly psi: Pressure } | undefined {
  const text = readText(path);
  if (text === undefined) return undefined;
  const psi: Record<string, PressureEntry> = {};
  for (const line of text.split('\n')) {
    const [name, ...pairs] = line.split(' ');
    const values = Object.fromEntries(pairs.map((pair) => pair.split('=')));
    if (!name) continue;
    const { avg10, avg60, avg300, total } = values;
    psi[name] = {
      avg10: Number(avg10),
      avg60: Number(avg60),
      avg300: Number(avg300),
      total: counter(total),
    };
  }
  return { psi };
}

function cpu(path: string): ContainerStats['cpu'] {
  const stat = readTable(`${path}/cpu.stat`);
  const nanoseconds = (name: string): Counter => times(stat[name] ?? 0, 1000);
  return {
    usage: {
      ...withoutZeros({ total: nanoseconds('usage_usec') }),
      kernel: nanoseconds('system_usec'),
      user: nanoseconds('user_usec'),
    },
    throttling: withoutZeros({
      periods: stat['nr_periods'] ?? 0,
      throttledPeriods: stat['nr_throttled'] ?? 0,
      throttledTime: nanoseconds('throttled_usec'),
    }),
    ...pressure(`${path}/cpu.pressure`),
  };
}

function add(left: Counter, right: Counter): Counter {
  const sum = BigInt(left) + BigInt(right);
  return counter(String(sum > unlimited ? unlimited : sum));
}

function memory(path: string): ContainerStats['memory'] {
  const raw = readTable(`${path}/memory.stat`);
  const sorted = Object.fromEntries(Object.entries(raw).sort(([left], [right]) => (left < right ? -1 : 1)));
  const events = readTable(`${path}/memory.events`);
  const usage: MemoryEntry = {
    limit: limit(`${path}/memory.max`),
    ...withoutZeros({
      usage: readCounter(`${path}/memory.current`),
      max: readCounter(`${path}/memory.peak`),
    }),
    failcnt: events['max'] ?? 0,
  };
  // As with cgroup v1, of memory and swap together.
  const swapUsage = add(readCounter(`${path}/memory.swap.current`), usage.usage ?? 0);
  const swap: MemoryEntry = {
    limit: add(limit(`${path}/memory.swap.max`), usage.limit),
    ...withoutZeros({ usage: swapUsage }),
    failcnt: 0,
  };
  const none: MemoryEntry = { limit: 0, failcnt: 0 };
  return {
    ...withoutZeros({ cache: raw['file'] ?? 0 }),
    usage,
    swap,
    kernel: none,
    kernelTCP: none,
    raw: sorted,
    ...pressure(`${path}/memory.pressure`),
  };
}

const operations: readonly (readonly [key: string, list: 'bytes' | 'operations', op: string])[] = [
  ['rbytes', 'bytes', 'Read'],
  ['wbytes', 'bytes', 'Write'],
  ['rios', 'operations', 'Read'],
  ['wios', 'operations', 'Write'],
  ['dbytes', 'bytes', 'Discard'],
  ['dios', 'operations', 'Discard'],
];

function blkio(path: string): ContainerStats['blkio'] {
  const lists: { bytes: BlockEntry[]; operations: BlockEntry[] } = { bytes: [], operations: [] };
  for (const line of (readText(`${path}/io.stat`) ?? '').split('\n')) {
    const [device = '', ...pairs] = line.split(' ');
    const [major, minor] = device.split(':').map(Number);
    if (minor === undefined) continue;
    const values = new Map(pairs.map((pair) => pair.split('=') as [string, string]));
    for (const [key, list, op] of operations) {
      if (values.has(key)) {
        lists[list].push(withoutZeros({ major, minor, op, value: counter(values.get(key)) }) as BlockEntry);
      }
    }
  }
  return {
    ...(lists.bytes.length > 0 && { ioServiceBytesRecursive: lists.bytes }),
    ...(lists.operations.length > 0 && { ioServicedRecursive: lists.operations }),
    ...pressure(`${path}/io.pressure`),
  };
}

/** The usage of a group of cgroup v2. */
export function statsV2(path: string): Omit<ContainerStats, 'hugetlb' | 'intel_rdt' | 'network_interfaces'> {
  return {
    cpu: cpu(path),
    cpuset: {
      cpu_exclusive: 0,
      mem_hardwall: 0,
      mem_exclusive: 0,
      memory_migrate: 0,
      memory_spread_page: 0,
      memory_spread_slab: 0,
      memory_pressure: 0,
      sched_load_balance: 0,
      sched_relax_domain_level: 0,
    },
    memory: memory(path),
    pids: withoutZeros({
      current: readCounter(`${path}/pids.current`),
      limit: readCounter(`${path}/pids.max`),
    }),
    blkio: blkio(path),
  };
}
