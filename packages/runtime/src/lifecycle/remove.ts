import { isOciError } from '@ocijs/image/errors';
import { destroyCgroup } from '../cgroup/index.ts';
import { RuntimeError } from '../errors.ts';
import { disconnect, disconnectOrReport } from '../network/disconnect.ts';
import { waitForEnd } from '../process/signal.ts';
import { removeResctrl } from '../resctrl/group.ts';
import type { ContainerRecord } from '../state/record.ts';
import { containerStatus } from '../state/status.ts';
import { readRecord, removeContainer } from '../state/store.ts';
import { type LifecycleOptions, runPoststopHooks, stateRoot } from './context.ts';
import { killFirst } from './end.ts';

/** Options of {@link remove}. */
export interface RemoveOptions extends LifecycleOptions {
  /** Kill a container that runs, and take a missing one as deleted. */
  readonly force?: boolean;
}

function find(root: string, id: string, force: boolean): ContainerRecord | 'missing' | undefined {
  try {
    return readRecord(root, id);
  } catch (error) {
    if (!isOciError(error, 'ERR_OCI_CONTAINER_NOT_FOUND')) throw error;
    // Also clears what a removal left that was killed itself.
    removeContainer(root, id);
    if (!force) throw error;
    return 'missing';
  }
}

async function end(root: string, record: ContainerRecord, options: RemoveOptions): Promise<void> {
  const status = containerStatus(root, record);
  if (!options.force && status !== 'created' && status !== 'stopped') {
    throw new RuntimeError(
      'ERR_OCI_CONTAINER_STATE',
      `cannot delete container ${record.id} that is not stopped: ${status}`,
      { actual: status, expected: 'stopped', hint: 'Stop it first, or use --force.' },
    );
  }
  if (record.init === undefined || !killFirst(record)) return;
  if (await waitForEnd(record.init, { signal: options.signal })) return;
  throw new RuntimeError('ERR_OCI_CONTAINER_STATE', `the process of container ${record.id} does not end`, {
    actual: record.init.pid,
    hint: 'It is perhaps in uninterruptible sleep; try again later.',
  });
}

/**
 * Deletes a container (runtime-spec `runtime.md`, "Delete"): its processes, cgroup, connection and state, then runs its poststop
 * hooks. A container that was created and not started is killed; a running one only with `force`. Works for what an
 * interrupted creation or deletion left. Throws ERR_OCI_CONTAINER_NOT_FOUND, ERR_OCI_CONTAINER_STATE, ERR_OCI_CGROUP_BUSY.
 */
export async function remove(id: string, options: RemoveOptions = {}): Promise<void> {
  options.signal?.throwIfAborted();
  const root = stateRoot(options);
  const record = find(root, id, options.force ?? false);
  if (record === 'missing') return;
  if (record !== undefined) await end(root, record, options);
  // With `force`, what is left of a connection keeps nobody from deleting the container.
  await (options.force ? disconnectOrReport(root, id, options) : disconnect(root, id));
  if (record === undefined) {
    removeContainer(root, id);
    return;
  }
  if (record.cgroup !== undefined) await destroyCgroup(record.cgroup);
  removeResctrl(record.resctrl ?? []);
  if (removeContainer(root, id)) await runPoststopHooks(root, record, options);
}
