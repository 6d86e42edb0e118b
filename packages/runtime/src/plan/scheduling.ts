import type { Linux, Scheduler } from '@ocijs/bundle/spec';
import { conflict, type ProcessContext } from './context.ts';
import { numberListBits } from './number-list.ts';
import { initStep, type Step } from './step.ts';

const policies: Readonly<Record<string, number>> = {
  SCHED_OTHER: 0,
  SCHED_FIFO: 1,
  SCHED_RR: 2,
  SCHED_BATCH: 3,
  SCHED_ISO: 4,
  SCHED_IDLE: 5,
  SCHED_DEADLINE: 6,
};

const schedulerFlags: Readonly<Record<string, bigint>> = {
  SCHED_FLAG_RESET_ON_FORK: 0x01n,
  SCHED_FLAG_RECLAIM: 0x02n,
  SCHED_FLAG_DL_OVERRUN: 0x04n,
  SCHED_FLAG_KEEP_POLICY: 0x08n,
  SCHED_FLAG_KEEP_PARAMS: 0x10n,
  SCHED_FLAG_UTIL_CLAMP_MIN: 0x20n,
  SCHED_FLAG_UTIL_CLAMP_MAX: 0x40n,
};

const ioClasses: Readonly<Record<string, number>> = {
  IOPRIO_CLASS_RT: 1,
  IOPRIO_CLASS_BE: 2,
  IOPRIO_CLASS_IDLE: 3,
};

const personalities: Readonly<Record<string, number>> = { LINUX: 0, LINUX32: 8 };

function lookup<T>(table: Readonly<Record<string, T>>, name: string, jsonPath: string): T {
  const value = Object.hasOwn(table, name) ? table[name] : undefined;
  if (value === undefined) throw conflict(jsonPath, `has an unknown value ${JSON.stringify(name)}`);
  return value;
}

/** The 48 bytes of struct sched_attr (sched_setattr(2)). */
function schedulerBytes(scheduler: Scheduler): Uint8Array {
  const jsonPath = '$.process.scheduler';
  const flags = (scheduler.flags ?? []).reduce(
    (sum, name) => sum | lookup(schedulerFlags, name, `${jsonPath}.flags`),
    0n,
  );
  const bytes = Buffer.alloc(48);
  bytes.writeUInt32LE(bytes.length, 0);
  bytes.writeUInt32LE(lookup(policies, scheduler.policy, `${jsonPath}.policy`), 4);
  bytes.writeBigUInt64LE(flags, 8);
  bytes.writeInt32LE(scheduler.nice ?? 0, 16);
  bytes.writeInt32LE(scheduler.priority ?? 0, 20);
  bytes.writeBigUInt64LE(BigInt(scheduler.runtime ?? 0), 24);
  bytes.writeBigUInt64LE(BigInt(scheduler.deadline ?? 0), 32);
  bytes.writeBigUInt64LE(BigInt(scheduler.period ?? 0), 40);
  return bytes;
}

const memoryModes: Readonly<Record<string, number>> = {
  MPOL_DEFAULT: 0,
  MPOL_PREFERRED: 1,
  MPOL_BIND: 2,
  MPOL_INTERLEAVE: 3,
  MPOL_LOCAL: 4,
  MPOL_PREFERRED_MANY: 5,
  MPOL_WEIGHTED_INTERLEAVE: 6,
};

const memoryFlags: Readonly<Record<string, number>> = {
  MPOL_F_NUMA_BALANCING: 1 << 13,
  MPOL_F_RELATIVE_NODES: 1 << 14,
  MPOL_F_STATIC_NODES: 1 << 15,
};

/** The names that `linux.memoryPolicy` can have. */
export const memoryPolicyNames: { readonly modes: readonly string[]; readonly flags: readonly string[] } = {
  modes: Object.keys(memoryModes),
  flags: Object.keys(memoryFlags),
};

const nodeLimit = 1024;

/** The bits of a list such as `0-3,7`. */
function nodeMask(list: string, jsonPath: string): Uint8Array {
  const bytes = numberListBits(list, {
    limit: nodeLimit,
    jsonPath,
    what: 'memory nodes (invalid memory policy node)',
  });
  return bytes.subarray(0, bytes.findLastIndex((byte) => byte !== 0) + 1);
}

function numberOfNodes(list: string, jsonPath: string): number {
  return nodeMask(list, jsonPath).reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0);
}

const withoutNodes: ReadonlySet<string> = new Set(['MPOL_DEFAULT', 'MPOL_LOCAL']);

function memoryPolicyStep(policy: NonNullable<Linux['memoryPolicy']>): Step {
  const jsonPath = '$.linux.memoryPolicy';
  const mode = lookup(memoryModes, policy.mode, `${jsonPath}.mode`);
  const flags = (policy.flags ?? []).reduce(
    (sum, name) => sum | lookup(memoryFlags, name, `${jsonPath}.flags`),
    0,
  );
  const nodes = numberOfNodes(policy.nodes ?? '', `${jsonPath}.nodes`);
  if (nodes > 0 && withoutNodes.has(policy.mode))
    throw conflict(
      jsonPath,
      `is an invalid memory policy: ${policy.mode} mode requires 0 nodes but got ${nodes}`,
    );
  const fields = { number: mode | flags, bytes: nodeMask(policy.nodes ?? '', `${jsonPath}.nodes`) };
  return initStep('memoryPolicy', { purpose: 'set the memory policy', jsonPath, fields });
}

/** CPU scheduling, I/O priority and execution domain and memory policy of the container's process. */
export function planScheduling(context: ProcessContext): Step[] {
  const { process, linux } = context.input.spec;
  const steps: Step[] = [];
  if (process?.scheduler) {
    const fields = { bytes: schedulerBytes(process.scheduler) };
    steps.push(
      initStep('scheduler', { purpose: 'set the scheduler', jsonPath: '$.process.scheduler', fields }),
    );
  }
  if (process?.ioPriority) {
    const jsonPath = '$.process.ioPriority';
    const number =
      (lookup(ioClasses, process.ioPriority.class, jsonPath) << 13) | (process.ioPriority.priority ?? 0);
    steps.push(initStep('ioPriority', { purpose: 'set the I/O priority', jsonPath, fields: { number } }));
  }
  if (linux?.personality) {
    const jsonPath = '$.linux.personality';
    if ((linux.personality.flags ?? []).length > 0)
      throw conflict(`${jsonPath}.flags`, 'are not known to Linux');
    const number = lookup(personalities, linux.personality.domain, jsonPath);
    steps.push(initStep('personality', { purpose: 'set the personality', jsonPath, fields: { number } }));
  }
  if (linux?.memoryPolicy?.mode) steps.push(memoryPolicyStep(linux.memoryPolicy));
  return steps;
}
