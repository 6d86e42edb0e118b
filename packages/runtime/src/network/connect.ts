import { readFileSync } from 'node:fs';
import { RuntimeError } from '../errors.ts';
import type { ContainerRecord } from '../state/record.ts';
import { requireNetwork } from './helpers.ts';
import { claimPorts } from './ports.ts';
import { writeNetworkRecord } from './record.ts';
import type { NetworkConnection, NetworkRequest } from './types.ts';

function requireOwnNetwork({ id, spec }: ContainerRecord): void {
  const own = spec.linux?.namespaces?.find(({ type }) => type === 'network');
  if (own !== undefined && own.path === undefined) return;
  throw new RuntimeError(
    'ERR_OCI_SPEC_CONFLICT',
    `container ${id} cannot be connected: its network is another one's`,
    { jsonPath: '$.linux.namespaces', hint: 'Add a namespace of type network, without a path.' },
  );
}

/**
 * Connects a container whose first process has its namespaces and waits. What is made is recorded in the
 * container's state beforehand, so that `disconnect` finds it whatever happens. Throws ERR_OCI_NETWORK_UNAVAILABLE,
 * ERR_OCI_NETWORK_INVALID, ERR_OCI_NETWORK_FAILED, ERR_OCI_PORT_TAKEN.
 */
export async function connect(
  root: string,
  record: ContainerRecord,
  { request, signal }: { readonly request: NetworkRequest; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const { id, init } = record;
  requireOwnNetwork(record);
  requireNetwork(request.mode);
  const ports = await claimPorts(request.ports ?? []);
  const connection = await connectBy(request, { root, id, pid: init?.pid ?? 0, ports, signal });
  await request.onConnected?.(connection);
}

async function connectBy(
  { mode, hostLoopback = false }: NetworkRequest,
  connecting: {
    readonly root: string;
    readonly id: string;
    readonly pid: number;
    readonly ports: NetworkConnection['ports'];
    readonly signal: AbortSignal | undefined;
  },
): Promise<NetworkConnection> {
  const { root, id, ports } = connecting;
  if (mode === 'bridge') {
    const { connectBridge } = await import('./bridge/bridge.ts');
    return connectBridge(connecting);
  }
  const planned: NetworkConnection = { mode, device: '', addresses: [], ports };
  writeNetworkRecord(root, id, { connection: planned });
  const options = { ...connecting, hostLoopback, routes: readFileSync('/proc/net/route', 'utf8') };
  if (mode === 'pasta') {
    const { connectPasta } = await import('./user-mode/pasta.ts');
    const { connection, helper } = await connectPasta(options);
    writeNetworkRecord(root, id, { connection, ...(helper && { helper }) });
    return connection;
  }
  const { connectSlirp4netns } = await import('./user-mode/slirp4netns.ts');
  let helper: Parameters<Parameters<typeof connectSlirp4netns>[1]>[0] | undefined;
  const connection = await connectSlirp4netns(options, (started) => {
    helper = started;
    writeNetworkRecord(root, id, { connection: planned, helper: started });
  });
  writeNetworkRecord(root, id, { connection, ...(helper && { helper }) });
  return connection;
}
