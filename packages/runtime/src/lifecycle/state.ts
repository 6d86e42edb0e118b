import { isOciError } from '@ocijs/image/errors';
import type { State } from '../state/record.ts';
import { stateOf } from '../state/status.ts';
import { listContainers, readRecord } from '../state/store.ts';
import { type LifecycleOptions, requireRecord, stateRoot } from './context.ts';

/** The state of a container. Throws ERR_OCI_CONTAINER_NOT_FOUND. */
export function state(id: string, options: LifecycleOptions = {}): State {
  const root = stateRoot(options);
  return stateOf(root, requireRecord(root, id));
}

function stateIfThere(root: string, id: string): State | undefined {
  try {
    const record = readRecord(root, id);
    return record === undefined ? undefined : stateOf(root, record);
  } catch (error) {
    // Deleted since the directory was listed.
    if (isOciError(error, 'ERR_OCI_CONTAINER_NOT_FOUND')) return undefined;
    throw error;
  }
}

/** The states of all containers, sorted by id; those without a usable record are left out. */
export function list(options: LifecycleOptions = {}): State[] {
  const root = stateRoot(options);
  return listContainers(root).flatMap((id) => stateIfThere(root, id) ?? []);
}
