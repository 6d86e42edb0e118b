import type { CpuResources, MemoryResources, Resources } from '@ocijs/bundle/spec';
import { RuntimeError } from '../errors.ts';
import { blockIoV1, blockIoV2 } from './block-io.ts';
import { cpuSharesToWeight, swapLimit } from './convert.ts';
import { hugePageWrites, networkV1, rdmaWrites, refuseNetworkV2 } from './rare-limits.ts';

/** One value for one file of one controller, as the kernel wants to read it. */
export interface CgroupWrite {
  readonly controller: string;
  readonly file: string;
  readonly value: string;
  /** What is written instead, the first one of which the kernel has the file. */
  readonly alternatives?: readonly { readonly file: string; readonly value: string }[];
  /** Left out where the kernel has no such file. */
  readonly optional?: boolean;
}

/** Writes whose value is not set are left out; the specification's 0 means "not set" unless said otherwise. */
function collect(
  controller: string,
  values: readonly (readonly [file: string, value: string | number | undefined])[],
): CgroupWrite[] {
  return values.flatMap(([file, value]) =>
    value === undefined || value === 0 || value === ''
      ? []
      : [{ controller, file, value: formatNumber(value) }],
  );
}

/** Large whole numbers in full: the kernel does not read `1e+21`. */
function formatNumber(value: string | number): string {
  return typeof value === 'number' ? BigInt(value).toString() : value;
}

function checkMemory(memory: MemoryResources): void {
  swapLimit({ memory: memory.limit ?? 0, memoryAndSwap: memory.swap ?? 0 });
  for (const name of ['limit', 'reservation', 'swap'] as const) {
    const value = memory[name] ?? 0;
    if (value >= -1) continue;
    throw new RuntimeError('ERR_OCI_CGROUP_INVALID', `memory ${name} ${value} is below -1 (unlimited)`, {
      jsonPath: `$.linux.resources.memory.${name}`,
    });
  }
}

function memoryV1(memory: MemoryResources): CgroupWrite[] {
  checkMemory(memory);
  const unlimitedSwap = memory.limit === -1 && !memory.swap ? -1 : memory.swap;
  return [
    // The limit of memory and swap may never be below the one of memory: a new group starts unlimited.
    ...collect('memory', [
      ['memory.limit_in_bytes', memory.limit],
      ['memory.memsw.limit_in_bytes', unlimitedSwap],
      ['memory.soft_limit_in_bytes', memory.reservation],
    ]),
    ...(memory.swappiness === undefined
      ? []
      : [{ controller: 'memory', file: 'memory.swappiness', value: String(memory.swappiness) }]),
    // Of the kernel's own memory only this part can still be limited.
    ...collect('memory', [['memory.kmem.tcp.limit_in_bytes', memory.kernelTCP]]).map((write) => ({
      ...write,
      optional: true,
    })),
    ...(memory.disableOOMKiller ? [{ controller: 'memory', file: 'memory.oom_control', value: '1' }] : []),
  ];
}

function orMax(value: number | undefined): number | string | undefined {
  return value === -1 ? 'max' : value;
}

function memoryV2(memory: MemoryResources): CgroupWrite[] {
  checkMemory(memory);
  const swap = swapLimit({ memory: memory.limit ?? 0, memoryAndSwap: memory.swap ?? 0 });
  const noSwap = memory.swap !== undefined && memory.swap > 0 && swap === 0;
  return collect('memory', [
    ['memory.swap.max', noSwap ? '0' : orMax(swap)],
    ['memory.max', orMax(memory.limit)],
    ['memory.low', orMax(memory.reservation)],
  ]);
}

/** Settings that zero turns off again; nobody writes it for "not set". */
function meant(value: number | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}

function cpuV1(cpu: CpuResources): CgroupWrite[] {
  return [
    ...collect('cpu', [
      // A group of idle weight refuses any other weight.
      ['cpu.shares', cpu.idle ? undefined : cpu.shares],
      // The kernel checks each value against the other: a period first is right for a new group.
      ['cpu.cfs_period_us', cpu.period],
      ['cpu.cfs_quota_us', cpu.quota],
      ['cpu.cfs_burst_us', meant(cpu.burst)],
      ['cpu.rt_period_us', cpu.realtimePeriod],
      ['cpu.rt_runtime_us', cpu.realtimeRuntime],
      ['cpu.idle', meant(cpu.idle)],
    ]),
    ...cpusetWrites(cpu),
  ];
}

function cpuMax(cpu: CpuResources): string | undefined {
  const quota = cpu.quota ?? 0;
  if (quota === 0 && !cpu.period) return undefined;
  const quotaText = quota > 0 ? formatNumber(quota) : 'max';
  return `${quotaText} ${formatNumber(cpu.period || 100_000)}`;
}

function cpuV2(cpu: CpuResources): CgroupWrite[] {
  return [
    ...collect('cpu', [
      ['cpu.weight', cpu.idle ? undefined : cpuSharesToWeight(cpu.shares ?? 0)],
      ['cpu.idle', meant(cpu.idle)],
      ['cpu.max', cpuMax(cpu)],
      ['cpu.max.burst', meant(cpu.burst)],
    ]),
    ...cpusetWrites(cpu),
  ];
}

function cpusetWrites(cpu: CpuResources): CgroupWrite[] {
  return collect('cpuset', [
    ['cpuset.cpus', cpu.cpus],
    ['cpuset.mems', cpu.mems],
  ]);
}

function pidsWrites(limit: number | undefined): CgroupWrite[] {
  if (limit === undefined) return [];
  // A group of no processes is of no use; runc takes zero for one, so that both cgroup managers do the same.
  return collect('pids', [['pids.max', limit < 0 ? 'max' : Math.max(limit, 1)]]);
}

/** The files to write in a v1 group, in order. Device rules are apart: see `deviceWrites`. */
export function resourceWritesV1(resources: Resources): CgroupWrite[] {
  if (Object.keys(resources.unified ?? {}).length > 0) {
    throw new RuntimeError(
      'ERR_OCI_CGROUP_INVALID',
      'invalid configuration: linux.resources.unified needs cgroup v2',
      {
        jsonPath: '$.linux.resources.unified',
      },
    );
  }
  return [
    ...memoryV1(resources.memory ?? {}),
    ...cpuV1(resources.cpu ?? {}),
    ...pidsWrites(resources.pids?.limit),
    ...blockIoV1(resources.blockIO ?? {}),
    ...hugePageWrites(resources.hugepageLimits, 'limit_in_bytes'),
    ...networkV1(resources.network),
    ...rdmaWrites(resources.rdma),
  ];
}

/** The files to write in a v2 group, in order; `unified` comes last, so that it wins. */
export function resourceWritesV2(resources: Resources): CgroupWrite[] {
  refuseNetworkV2(resources.network);
  return [
    ...memoryV2(resources.memory ?? {}),
    ...cpuV2(resources.cpu ?? {}),
    ...pidsWrites(resources.pids?.limit),
    ...blockIoV2(resources.blockIO ?? {}),
    ...hugePageWrites(resources.hugepageLimits, 'max'),
    ...rdmaWrites(resources.rdma),
    ...Object.entries(resources.unified ?? {}).map(([file, value]) => ({
      controller: file.slice(0, file.indexOf('.')),
      file,
      value,
    })),
  ];
}
