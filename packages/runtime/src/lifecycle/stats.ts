import { cgroupStats } from '../cgroup/stats/stats.ts';
import type { ContainerStats } from '../cgroup/stats/types.ts';
import { RuntimeError } from '../errors.ts';
import { containerStatus } from '../state/status.ts';
import { type LifecycleOptions, requireRecord, stateRoot } from './context.ts';

/**
 * What a container's processes use. Throws ERR_OCI_CONTAINER_NOT_FOUND, ERR_OCI_CONTAINER_NOT_RUNNING, and
 * ERR_OCI_CGROUP_MISSING for a container without a cgroup.
 */
export function stats(id: string, options: LifecycleOptions = {}): ContainerStats {
  const root = stateRoot(options);
  const record = requireRecord(root, id);
  const status = containerStatus(root, record);
  if (status === 'stopped' || status === 'creating') {
    throw new RuntimeError('ERR_OCI_CONTAINER_NOT_RUNNING', `container with id ${id} is not running`, {
      actual: status,
    });
  }
  if (record.cgroup !== undefined && record.cgroup.directories.length > 0) return cgroupStats(record.cgroup);
  throw new RuntimeError('ERR_OCI_CGROUP_MISSING', `container ${id} has no cgroup that counts what it uses`);
}
