import { type Mount, requireValidSpec } from '@ocijs/bundle/spec';
import { RuntimeError } from '../errors.ts';
import { editMounts } from '../init/edit-mounts.ts';
import type { ContainerRecord } from '../state/record.ts';
import { containerStatus } from '../state/status.ts';
import { writeRecord } from '../state/store.ts';
import { type LifecycleOptions, requireRecord, stateRoot } from './context.ts';

interface Change extends LifecycleOptions {
  readonly action: 'add' | 'remove';
  readonly mounts: readonly Mount[];
}

function resulting(record: ContainerRecord, { action, mounts }: Change): ContainerRecord {
  const before = record.spec.mounts ?? [];
  const gone = new Set(mounts.map(({ destination }) => destination));
  const after =
    action === 'add' ? [...before, ...mounts] : before.filter(({ destination }) => !gone.has(destination));
  return { ...record, spec: { ...record.spec, mounts: after } };
}

async function changeMounts(id: string, change: Change): Promise<void> {
  change.signal?.throwIfAborted();
  const root = stateRoot(change);
  const record = requireRecord(root, id);
  const status = containerStatus(root, record);
  if (record.init === undefined || status === 'stopped' || status === 'creating') {
    throw new RuntimeError('ERR_OCI_CONTAINER_NOT_RUNNING', `container not running: ${id}`, {
      actual: status,
    });
  }
  const spec = requireValidSpec({ ...record.spec, mounts: [...change.mounts] });
  await editMounts({
    id,
    spec,
    action: change.action,
    bundle: record.bundle,
    rootfs: record.rootfs,
    target: record.init,
    signal: change.signal,
  });
  writeRecord(root, resulting(record, change));
}

/**
 * Mounts something in a running container, as its configuration could have. Throws ERR_OCI_CONTAINER_NOT_FOUND,
 * ERR_OCI_CONTAINER_NOT_RUNNING, ERR_OCI_SPEC_CONFLICT, ERR_OCI_SPEC_UNSUPPORTED for bind mounts of ordinary users, and
 * ERR_OCI_INIT_FAILED with the mount that failed; those before it stay.
 */
export async function addMounts(
  id: string,
  mounts: readonly Mount[],
  options: LifecycleOptions = {},
): Promise<void> {
  await changeMounts(id, { ...options, action: 'add', mounts });
}

/** Unmounts what is mounted at these destinations in a running container; nothing else of the mounts counts. Throws as `addMounts`. */
export async function removeMounts(
  id: string,
  mounts: readonly Mount[],
  options: LifecycleOptions = {},
): Promise<void> {
  await changeMounts(id, { ...options, action: 'remove', mounts });
}
