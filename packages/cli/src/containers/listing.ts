import type { NetworkConnection } from '@ocijs/runtime';
import { codeOf } from '../exit-codes.ts';
import { type HealthState, readHealth } from '../health/state.ts';
import type { Containers, KnownContainer } from './collection.ts';
import { type ContainerStatus, isActive, statusOf } from './status.ts';

/** A container with all that lists say of it. */
export interface ListedContainer {
  readonly container: KnownContainer;
  readonly status: ContainerStatus;
  /** Of a running container that is checked. */
  readonly health?: HealthState;
  /** Of one that is connected. */
  readonly connection?: NetworkConnection;
}

/** All containers as they are now, the newest first. */
export async function listContainers(containers: Containers): Promise<readonly ListedContainer[]> {
  const listed: ListedContainer[] = [];
  for (const container of await containers.list()) {
    const status = await statusOf(container.record);
    const isRunning = isActive(status.state) && status.state !== 'creating';
    const health = isRunning ? await readHealth(container.directory) : undefined;
    const connection = isRunning ? await connectionOf(container) : undefined;
    listed.push({ container, status, ...(health && { health }), ...(connection && { connection }) });
  }
  return listed;
}

async function connectionOf({ record }: KnownContainer): Promise<NetworkConnection | undefined> {
  const { networkOf } = await import('@ocijs/runtime');
  try {
    return networkOf(record.id, { root: record.root });
  } catch (error) {
    // It was deleted meanwhile.
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** What `ps --json` says of a container. */
export function describeContainer(listed: ListedContainer): object {
  const { container, status, health, connection } = listed;
  const { id, name, image, command, created, bundle, exit, labels = {}, network } = container.record;
  const { state, pid, exitCode } = status;
  return {
    id,
    name,
    image: image.name,
    digest: image.digest,
    command,
    created,
    state,
    ...(pid === undefined ? {} : { pid }),
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(exit === undefined ? {} : { finished: exit.finished }),
    ...(health === undefined ? {} : { health }),
    labels,
    ...(network === undefined
      ? {}
      : { network: { ...network.choice, addresses: connection?.addresses ?? [] } }),
    ports: connection?.ports ?? [],
    bundle,
  };
}
