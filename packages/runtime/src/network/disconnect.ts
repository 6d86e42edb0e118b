import { isOciError } from '@ocijs/image/errors';
import type { LifecycleOptions } from '../lifecycle/context.ts';
import { stateRoot } from '../lifecycle/context.ts';
import { containerStatus } from '../state/status.ts';
import { listContainers, readRecord } from '../state/store.ts';
import { readNetworkRecord, removeNetworkRecord } from './record.ts';
import type { NetworkConnection } from './types.ts';

/** Undoes a container's connection; nothing happens for one that has none. Throws ERR_OCI_NETWORK_FAILED. */
export async function disconnect(root: string, id: string): Promise<void> {
  const record = readNetworkRecord(root, id);
  if (record === undefined) return;
  if (record.bridge !== undefined) {
    const { disconnectBridge } = await import('./bridge/bridge.ts');
    await disconnectBridge(root, id);
  } else {
    const { endHelper, pastaOf } = await import('./user-mode/helper.ts');
    const helper = record.helper ?? pastaOf(root, id);
    if (helper !== undefined) await endHelper(helper);
    removeNetworkRecord(root, id);
  }
}

/** The same for a container that goes in any case: what cannot be undone is reported as a warning. */
export async function disconnectOrReport(
  root: string,
  id: string,
  { onEvent }: Pick<LifecycleOptions, 'onEvent'>,
): Promise<void> {
  try {
    await disconnect(root, id);
  } catch (error) {
    if (!isOciError(error)) throw error;
    onEvent?.({ type: 'warning', code: error.code, message: error.message });
  }
}

/** How a container is connected; undefined for one without a connection. Throws ERR_OCI_NETWORK_INVALID. */
export function networkOf(
  id: string,
  options: Pick<LifecycleOptions, 'root'> = {},
): NetworkConnection | undefined {
  return readNetworkRecord(stateRoot(options), id)?.connection;
}

/**
 * Undoes the connections of containers that have ended and were not deleted, as after the program that ran them was
 * killed. Returns their ids; what cannot be undone is reported as a warning and left for their deletion.
 */
export async function releaseNetworks(options: LifecycleOptions = {}): Promise<readonly string[]> {
  const root = stateRoot(options);
  const released: string[] = [];
  for (const id of listContainers(root)) {
    options.signal?.throwIfAborted();
    try {
      if (readNetworkRecord(root, id) === undefined) continue;
      const record = readRecord(root, id);
      if (record !== undefined && containerStatus(root, record) !== 'stopped') continue;
      await disconnect(root, id);
      released.push(id);
    } catch (error) {
      const { code = 'ERR_OCI_NETWORK_FAILED', message } = error as { code?: string; message: string };
      // Deleted by another process meanwhile.
      if (code === 'ENOENT' || code === 'ERR_OCI_CONTAINER_NOT_FOUND') continue;
      options.onEvent?.({ type: 'warning', code, message });
    }
  }
  return released;
}
