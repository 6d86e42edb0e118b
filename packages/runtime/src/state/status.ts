import { isFrozen } from '../cgroup/freeze.ts';
import { isAlive } from '../process/stat.ts';
import type { ContainerRecord, ContainerStatus, State } from './record.ts';
import { isWaitingToStart } from './store.ts';
import { stateVersion } from './version.ts';

/** Where a container is in its life, from its record, its first process and its start fifo. */
export function containerStatus(root: string, record: ContainerRecord): ContainerStatus {
  if (!record.finished && isAlive(record.creator)) return 'creating';
  if (record.init === undefined || !isAlive(record.init)) return 'stopped';
  if (isFrozen(record.cgroup)) return 'paused';
  return isWaitingToStart(root, record.id) ? 'created' : 'running';
}

/** The state of a container in the specification's form. */
export function stateOf(root: string, record: ContainerRecord): State {
  const status = containerStatus(root, record);
  const { annotations } = record.spec;
  return {
    ociVersion: stateVersion,
    id: record.id,
    pid: status === 'stopped' ? 0 : (record.init?.pid ?? 0),
    status,
    bundle: record.bundle,
    rootfs: record.rootfs,
    created: record.created,
    ...(annotations !== undefined && Object.keys(annotations).length > 0 && { annotations }),
    owner: record.owner,
  };
}
