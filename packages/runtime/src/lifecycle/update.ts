import type { Resources } from '@ocijs/bundle/spec';
import { updateCgroup } from '../cgroup/update.ts';
import { RuntimeError } from '../errors.ts';
import type { ContainerRecord } from '../state/record.ts';
import { containerStatus } from '../state/status.ts';
import { writeRecord } from '../state/store.ts';
import { type LifecycleOptions, requireRecord, stateRoot } from './context.ts';

function isEmpty(section: object | undefined): boolean {
  return section === undefined || Object.values(section).every((value) => value === undefined);
}

/** Values that go together are written together, the ones that were not given as they were before. */
function completed(given: Resources, before: Resources): Resources {
  const { devices: _, memory, cpu, pids, ...others } = given;
  const mergedMemory = { ...before.memory, ...memory };
  // An unlimited container has no limit of memory and swap either, unless one is given now.
  if (memory?.limit === -1 && memory.swap === undefined) delete mergedMemory.swap;
  return {
    ...Object.fromEntries(
      Object.entries(others).filter(([, section]) => !isEmpty(section as object | undefined)),
    ),
    ...(!isEmpty(memory) && { memory: mergedMemory }),
    ...(!isEmpty(cpu) && { cpu: { ...before.cpu, ...cpu } }),
    ...(!isEmpty(pids) && pids && { pids }),
  };
}

/**
 * Changes limits of a container while it runs; device rules are left as they are. Throws ERR_OCI_CONTAINER_NOT_FOUND,
 * ERR_OCI_CONTAINER_NOT_RUNNING, ERR_OCI_CGROUP_INVALID, ERR_OCI_CGROUP_MISSING, and ERR_OCI_CGROUP_DENIED for a value that the
 * kernel refuses, ERR_OCI_SYSTEMD_UNAVAILABLE.
 */
export async function update(
  id: string,
  resources: Resources,
  options: LifecycleOptions = {},
): Promise<void> {
  options.signal?.throwIfAborted();
  const root = stateRoot(options);
  const record = requireRecord(root, id);
  const status = containerStatus(root, record);
  if (status === 'stopped' || status === 'creating') {
    throw new RuntimeError('ERR_OCI_CONTAINER_NOT_RUNNING', `container not running: ${id}`, {
      actual: status,
    });
  }
  const before = record.spec.linux?.resources ?? {};
  const changed = completed(resources, before);
  updateCgroup(record.cgroup, changed);
  if (record.cgroup?.systemd !== undefined) {
    const { updateScope } = await import('../systemd/scope.ts');
    await updateScope(record.cgroup.systemd, changed);
  }
  const linux = { ...record.spec.linux, resources: { ...before, ...changed } };
  const updated: ContainerRecord = { ...record, spec: { ...record.spec, linux } };
  writeRecord(root, updated);
}
