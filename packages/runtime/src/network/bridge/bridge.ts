import { rmSync, writeFileSync } from 'node:fs';
import { listContainers } from '../../state/store.ts';
import {
  type NetworkRecord,
  namespaceFile,
  readNetworkRecord,
  removeNetworkRecord,
  writeNetworkRecord,
} from '../record.ts';
import type { NetworkConnection, PortMapping } from '../types.ts';
import { addressDirectory, bridgeConfig } from './config.ts';
import { withNetworkLock } from './lock.ts';
import { callPlugin, type PluginResult } from './plugin.ts';
import { requireUnpublished } from './published.ts';
import { releaseNetwork, reserveNetwork } from './subnet.ts';

const device = 'eth0';

/** A container to connect, whose network namespace is that of its first process. */
export interface Connecting {
  readonly root: string;
  readonly id: string;
  readonly pid: number;
  readonly ports: readonly PortMapping[];
  readonly signal?: AbortSignal | undefined;
}

/** Keeps the namespace of a process beyond its end: plugins undo in it what they did. */
async function keepNamespace(pid: number, path: string): Promise<void> {
  const { constants, mount } = await import('@ocijs/linux');
  writeFileSync(path, '', { flag: 'wx', mode: 0o400 });
  mount(path, { source: `/proc/${pid}/ns/net`, flags: constants.MS_BIND });
}

async function dropNamespace(path: string): Promise<void> {
  const { constants, isSystemCallError, umount2 } = await import('@ocijs/linux');
  try {
    umount2(path, { flags: constants.MNT_DETACH | constants.UMOUNT_NOFOLLOW });
  } catch (error) {
    // Never mounted, or not even made.
    if (!isSystemCallError(error, 'EINVAL', 'ENOENT')) throw error;
  }
  rmSync(path, { force: true });
}

/** Puts a container on the bridge of its state directory. What was done is recorded before it is done. */
export async function connectBridge({
  root,
  id,
  pid,
  ports,
  signal,
}: Connecting): Promise<NetworkConnection> {
  return withNetworkLock(signal, async () => {
    requireUnpublished(root, id, ports);
    const network = reserveNetwork(root);
    const plugins = bridgeConfig(root, network, ports);
    const planned: NetworkRecord = {
      connection: { mode: 'bridge', device, addresses: [], ports },
      plugins,
      bridge: network.bridge,
    };
    writeNetworkRecord(root, id, planned);
    const namespace = namespaceFile(root, id);
    await keepNamespace(pid, namespace);
    let result: PluginResult | undefined;
    for (const plugin of plugins)
      result = await callPlugin(
        plugin,
        { command: 'ADD', containerId: id, namespace, device, signal },
        result,
      );
    const addresses = (result?.ips ?? []).map(({ address }) => address.replace(/\/\d+$/, ''));
    const connection = { ...planned.connection, addresses, host: network.gateway };
    writeNetworkRecord(root, id, { ...planned, connection, result });
    return connection;
  });
}

/**
 * Undoes what {@link connectBridge} did, or had begun to do; with the last container of the state directory the bridge goes,
 * too. All is tried; then the first failure is thrown, and the record stays. Of several that do it at once, one does: the plugin
 * of the addresses makes its directory again when it is called once more.
 */
export async function disconnectBridge(root: string, id: string): Promise<void> {
  const failures: unknown[] = [];
  const attempt = async (action: () => unknown): Promise<void> => {
    try {
      await action();
    } catch (error) {
      failures.push(error);
    }
  };
  await withNetworkLock(undefined, async () => {
    const record = readNetworkRecord(root, id);
    if (record === undefined) return;
    const namespace = namespaceFile(root, id);
    const isKept = await isNamespace(namespace);
    for (const plugin of (record.plugins ?? []).toReversed()) {
      const call = {
        command: 'DEL',
        containerId: id,
        namespace: isKept ? namespace : undefined,
        device,
      } as const;
      await attempt(() => callPlugin(plugin, call, record.result));
    }
    await attempt(() => dropNamespace(namespace));
    const others = listContainers(root).filter((other) => other !== id);
    if (others.every((other) => readNetworkRecord(root, other)?.bridge === undefined)) {
      if (record.bridge !== undefined) await attempt(() => removeDevice(record.bridge ?? ''));
      rmSync(addressDirectory(root), { recursive: true, force: true });
      releaseNetwork(root);
    }
    if (failures.length === 0) removeNetworkRecord(root, id);
  });
  if (failures.length > 0) throw failures[0];
}

async function isNamespace(path: string): Promise<boolean> {
  const { constants, isSystemCallError, statfs } = await import('@ocijs/linux');
  try {
    return statfs(path).magic === constants.NSFS_MAGIC;
  } catch (error) {
    if (isSystemCallError(error, 'ENOENT')) return false;
    throw error;
  }
}

async function removeDevice(name: string): Promise<void> {
  const { isSystemCallError, removeBridge } = await import('@ocijs/linux');
  try {
    removeBridge(name);
  } catch (error) {
    // Never made, or removed by an administrator.
    if (!isSystemCallError(error, 'ENODEV', 'ENXIO')) throw error;
  }
}
