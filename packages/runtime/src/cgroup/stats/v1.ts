import { counter, numberList, readCounter, readTable, readText, times, withoutZeros } from './read.ts';
import type { BlockEntry, ContainerStats, Counter, MemoryEntry } from './types.ts';

/** The directory of each controller. */
type Directories = (controller: string) => string | undefined;

/** cpuacct.stat counts in ticks of a hundredth of a second. */
const tick = 10_000_000;

function cpuUsage(directory: string | undefined): ContainerStats['cpu']['usage'] {
  if (directory === undefined) return { kernel: 0, user: 0 };
  const stat = readTable(`${directory}/cpuacct.stat`);
  const percpu = (readText(`${directory}/cpuacct.usage_percpu`) ?? '').split(/\s+/).filter(Boolean);
  const all = (readText(`${directory}/cpuacct.usage_all`) ?? '').split('\n').slice(1);
  const column = (index: number): Counter[] => all.map((line) => counter(line.split(' ')[index]));
  return {
    ...withoutZeros({ total: readCounter(`${directory}/cpuacct.usage`) }),
    ...(percpu.length > 0 && { percpu: percpu.map(counter) }),
    ...(all.length > 0 && { percpu_kernel: column(2), percpu_user: column(1) }),
    kernel: times(stat['system'] ?? 0, tick),
    user: times(stat['user'] ?? 0, tick),
  };
}

function throttling(directory: string | undefined): ContainerStats['cpu']['throttling'] {
  const stat = directory === undefined ? {} : readTable(`${directory}/cpu.stat`);
  return withoutZeros({
    periods: stat['nr_periods'] ?? 0,
    throttledPeriods: stat['nr_throttled'] ?? 0,
    throttledTime: stat['throttled_time'] ?? 0,
  });
}

const cpusetNumbers = {
  cpu_exclusive: 'cpu_exclusive',
  mem_hardwall: 'mem_hardwall',
  mem_exclusive: 'mem_exclusive',
  memory_migrate: 'memory_migrate',
  memory_spread_page: 'memory_spread_page',
  memory_spread_slab: 'memory_spread_slab',
  memory_pressure: 'memory_pressure',
  sched_load_balance: 'sched_load_balance',
  sched_relax_domain_level: 'sched_relax_domain_level',
} as const;

function cpuset(directory: string | undefined): ContainerStats['cpuset'] {
  const number = (file: string): Counter =>
    directory === undefined ? 0 : readCounter(`${directory}/cpuset.${file}`);
  const list = (name: string): Record<string, number[]> => {
    const text = directory === undefined ? '' : (readText(`${directory}/cpuset.${name}`) ?? '');
    return text === '' ? {} : { [name]: numberList(text) };
  };
  const { cpu_exclusive, ...others } = Object.fromEntries(
    Object.entries(cpusetNumbers).map(([name, file]) => [name, number(file)]),
  );
  return { ...list('cpus'), cpu_exclusive: cpu_exclusive ?? 0, ...list('mems'), ...others };
}

function memoryEntry(directory: string | undefined, kind: string): MemoryEntry {
  const file = (name: string): Counter =>
    directory === undefined ? 0 : readCounter(`${directory}/memory.${kind}${name}`);
  return {
    limit: file('limit_in_bytes'),
    ...withoutZeros({ usage: file('usage_in_bytes'), max: file('max_usage_in_bytes') }),
    failcnt: file('failcnt'),
  };
}

function memory(directory: string | undefined): ContainerStats['memory'] {
  const raw = directory === undefined ? {} : readTable(`${directory}/memory.stat`);
  const sorted = Object.fromEntries(Object.entries(raw).sort(([left], [right]) => (left < right ? -1 : 1)));
  return {
    ...withoutZeros({ cache: raw['cache'] ?? 0 }),
    usage: memoryEntry(directory, ''),
    swap: memoryEntry(directory, 'memsw.'),
    kernel: memoryEntry(directory, 'kmem.'),
    kernelTCP: memoryEntry(directory, 'kmem.tcp.'),
    ...(directory !== undefined && { raw: sorted }),
  };
}

function blockEntries(path: string): BlockEntry[] {
  return (readText(path) ?? '').split('\n').flatMap((line) => {
    const [device = '', ...rest] = line.split(' ');
    const [major, minor] = device.split(':').map(Number);
    if (minor === undefined || rest.length === 0) return [];
    const [op, value] = rest.length === 1 ? ['', rest[0]] : rest;
    return [withoutZeros({ major, minor, op: op || undefined, value: counter(value) }) as BlockEntry];
  });
}

/** The first scheduler that counts anything is the one in use. */
function blkio(directory: string | undefined): ContainerStats['blkio'] {
  const files = { ioServiceBytesRecursive: 'io_service_bytes', ioServicedRecursive: 'io_serviced' };
  for (const prefix of directory === undefined ? [] : ['blkio.bfq.', 'blkio.', 'blkio.throttle.']) {
    const found = Object.entries(files).flatMap(([name, file]) => {
      const entries = blockEntries(`${directory}/${prefix}${file}_recursive`);
      return entries.length === 0 ? [] : [[name, entries] as const];
    });
    if (found.length > 0) return Object.fromEntries(found);
  }
  return {};
}

function pids(directory: string | undefined): ContainerStats['pids'] {
  if (directory === undefined) return {};
  return withoutZeros({
    current: readCounter(`${directory}/pids.current`),
    limit: readCounter(`${directory}/pids.max`),
  });
}

/** The usage of a group of cgroup v1; controllers that are not mounted count nothing. */
export function statsV1(
  directory: Directories,
): Omit<ContainerStats, 'hugetlb' | 'intel_rdt' | 'network_interfaces'> {
  return {
    cpu: { usage: cpuUsage(directory('cpuacct')), throttling: throttling(directory('cpu')) },
    cpuset: cpuset(directory('cpuset')),
    memory: memory(directory('memory')),
    pids: pids(directory('pids')),
    blkio: blkio(directory('blkio')),
  };
}
