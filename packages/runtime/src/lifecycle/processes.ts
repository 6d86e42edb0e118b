import { readdirSync, readlinkSync } from 'node:fs';
import { cgroupPids } from '../cgroup/index.ts';
import { isAlive, type ProcessIdentity } from '../process/stat.ts';
import { type LifecycleOptions, requireRecord, stateRoot } from './context.ts';

function pidNamespace(pid: string | number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    // It ended, or belongs to somebody else: none of ours.
    return undefined;
  }
}

/** Where there is no cgroup to ask: whoever shares the pid namespace of the first process, if it is not ours. */
function pidsOfNamespace(init: ProcessIdentity): number[] {
  const namespace = pidNamespace(init.pid);
  if (namespace === undefined || namespace === pidNamespace('self')) return [init.pid];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && pidNamespace(name) === namespace)
    .map(Number);
}

/**
 * The ids, in this pid namespace, of all processes of a container, sorted; none when it has ended. Throws
 * ERR_OCI_CONTAINER_NOT_FOUND.
 */
export function processes(id: string, options: LifecycleOptions = {}): number[] {
  const { cgroup, init } = requireRecord(stateRoot(options), id);
  if (cgroup !== undefined && cgroup.directories.length > 0) {
    return cgroupPids(cgroup).sort((left, right) => left - right);
  }
  return init !== undefined && isAlive(init) ? pidsOfNamespace(init) : [];
}
