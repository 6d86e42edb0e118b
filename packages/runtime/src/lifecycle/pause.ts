import { freezeCgroup, thawCgroup } from '../cgroup/freeze.ts';
import { RuntimeError } from '../errors.ts';
import { containerStatus } from '../state/status.ts';
import { type LifecycleOptions, requireRecord, stateRoot } from './context.ts';

/**
 * Stops every process of a container where it is, and returns when all have stopped. Throws ERR_OCI_CONTAINER_NOT_FOUND,
 * ERR_OCI_CONTAINER_NOT_RUNNING, ERR_OCI_CGROUP_MISSING, ERR_OCI_CGROUP_DENIED, and ERR_OCI_CGROUP_BUSY when some do not stop
 * within five seconds; then all go on.
 */
export async function pause(id: string, options: LifecycleOptions = {}): Promise<void> {
  options.signal?.throwIfAborted();
  const root = stateRoot(options);
  const record = requireRecord(root, id);
  const status = containerStatus(root, record);
  if (status !== 'running' && status !== 'created') {
    throw new RuntimeError('ERR_OCI_CONTAINER_NOT_RUNNING', `container not running: ${id}`, {
      actual: status,
    });
  }
  await freezeCgroup(record.cgroup, { signal: options.signal });
}

/** Lets a paused container go on. Throws ERR_OCI_CONTAINER_NOT_FOUND, ERR_OCI_CONTAINER_STATE, ERR_OCI_CGROUP_DENIED. */
export function resume(id: string, options: LifecycleOptions = {}): void {
  const root = stateRoot(options);
  const record = requireRecord(root, id);
  const status = containerStatus(root, record);
  if (status !== 'paused') {
    throw new RuntimeError('ERR_OCI_CONTAINER_STATE', `container not paused: ${id}`, {
      actual: status,
      expected: 'paused',
    });
  }
  thawCgroup(record.cgroup);
}
