import { isToldToStop, thawCgroup } from '../cgroup/freeze.ts';
import { cgroupPids, signalCgroup } from '../cgroup/index.ts';
import { RuntimeError } from '../errors.ts';
import { parseSignal, signalProcess } from '../process/signal.ts';
import type { ContainerRecord } from '../state/record.ts';
import { containerStatus } from '../state/status.ts';
import { type LifecycleOptions, requireRecord, stateRoot } from './context.ts';

/** Options of {@link kill}. */
export interface KillOptions extends LifecycleOptions {
  /** Signal every process of the container, not only its first. */
  readonly all?: boolean;
}

function hasOwnPids(record: ContainerRecord): boolean {
  return record.spec.linux?.namespaces?.some(({ type, path }) => type === 'pid' && !path) ?? false;
}

/**
 * Sends a signal to a container's first process (runtime-spec `runtime.md`, "Kill"), or to all. SIGKILL always ends
 * all: where the container shares its pid namespace, the kernel would leave the others alive.
 * Throws ERR_OCI_CONTAINER_NOT_FOUND, ERR_OCI_CONTAINER_NOT_RUNNING, ERR_OCI_SIGNAL_INVALID.
 */
export function kill(id: string, signal: string | number, options: KillOptions = {}): void {
  const root = stateRoot(options);
  const record = requireRecord(root, id);
  const number = parseSignal(String(signal));
  const isEnding = number === 9 && !hasOwnPids(record);
  const reachesAll = options.all === true || isEnding;
  const status = containerStatus(root, record);
  const isRunning = status !== 'stopped' && record.init !== undefined && signalProcess(record.init, number);
  // Where the pid namespace is shared, others may live on when the first process is gone.
  const isLeft = isEnding && record.cgroup !== undefined && cgroupPids(record.cgroup).length > 0;
  if (reachesAll && record.cgroup !== undefined) {
    signalCgroup(record.cgroup, number, { except: isRunning ? record.init.pid : undefined });
  }
  // A frozen process of cgroup v1 does not even die.
  if (number === 9 && isToldToStop(record.cgroup)) thawCgroup(record.cgroup);
  if (isRunning || isLeft || options.all) return;
  throw new RuntimeError('ERR_OCI_CONTAINER_NOT_RUNNING', `container not running: ${id}`, { actual: status });
}
