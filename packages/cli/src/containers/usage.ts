import { totalmem } from 'node:os';
import type { ContainerStats } from '@ocijs/runtime';
import { codeOf } from '../exit-codes.ts';
import type { KnownContainer } from './collection.ts';

/** The counters of a container at one moment. */
export interface UsageSample {
  /** Milliseconds of a clock that never jumps. */
  readonly time: number;
  /** Undefined for a container without a cgroup, as an ordinary user's mostly is. */
  readonly stats?: ContainerStats;
}

/** What a container uses, for people. */
export interface Usage {
  /** Of one processor, so several busy ones make more than 100. */
  readonly cpuPercent: number;
  /** Bytes, without what the kernel keeps of files and would give back at once. */
  readonly memory: number;
  /** Bytes; that of the host when the container has no smaller limit. */
  readonly memoryLimit: number;
  readonly pids: number;
  /** Bytes read from and written to block devices since the start. */
  readonly blockRead: number;
  readonly blockWritten: number;
}

/** Reads a container's counters; undefined when it has ended. */
export async function sampleUsage({ record }: KnownContainer): Promise<UsageSample | undefined> {
  const { stats } = await import('@ocijs/runtime');
  const time = performance.now();
  try {
    return { time, stats: stats(record.id, { root: record.root }) };
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ERR_OCI_CGROUP_MISSING') return { time };
    if (code === 'ERR_OCI_CONTAINER_NOT_RUNNING' || code === 'ERR_OCI_CONTAINER_NOT_FOUND') return undefined;
    throw error;
  }
}

/** What two samples say together; undefined for a container without a cgroup. */
export function usageBetween(
  before: UsageSample,
  after: UsageSample,
  { hostMemory = totalmem() }: { readonly hostMemory?: number } = {},
): Usage | undefined {
  if (before.stats === undefined || after.stats === undefined) return undefined;
  const { cpu, memory, pids, blkio } = after.stats;
  const busy = Number(cpu.usage.total ?? 0) - Number(before.stats.cpu.usage.total ?? 0);
  const elapsed = (after.time - before.time) * 1e6;
  const { raw = {}, usage } = memory;
  const reclaimable = Number(raw['total_inactive_file'] ?? raw['inactive_file'] ?? 0);
  const limit = Number(usage.limit);
  return {
    cpuPercent: elapsed > 0 ? (Math.max(0, busy) / elapsed) * 100 : 0,
    memory: Math.max(0, Number(usage.usage ?? 0) - reclaimable),
    memoryLimit: limit > 0 && limit < hostMemory ? limit : hostMemory,
    pids: Number(pids.current ?? 0),
    blockRead: blockBytes(blkio, 'read'),
    blockWritten: blockBytes(blkio, 'write'),
  };
}

function blockBytes(blkio: ContainerStats['blkio'], operation: 'read' | 'write'): number {
  const entries = blkio['ioServiceBytesRecursive'];
  if (!Array.isArray(entries)) return 0;
  return entries
    .filter(({ op }) => op?.toLowerCase() === operation)
    .reduce((sum, { value }) => sum + Number(value ?? 0), 0);
}
