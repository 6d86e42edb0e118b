import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { RuntimeSpec } from '@ocijs/bundle/spec';
import type { Readiness } from '../init/notify.ts';
import type { ContainerRecord } from '../state/record.ts';
import { containerDirectory } from '../state/store.ts';

/** Options of whatever starts a container. */
export interface NotifyOptions {
  /**
   * The socket of a service manager (sd_notify(3), `$NOTIFY_SOCKET`) that is told when the container says `READY=1`. It must be
   * given when the container is created, which then has a socket of its own, and when it is started.
   */
  readonly notifySocket?: string | undefined;
}

/** Where a container has its socket; the same as with runc. */
const place = '/run/notify';
const socketName = 'notify.sock';

/** What the container's process finds its socket by. */
export const notifyVariable: string = `NOTIFY_SOCKET=${place}/${socketName}`;

function notifyDirectory(stateDirectory: string): string {
  return join(stateDirectory, 'notify');
}

/** The configuration with the directory of the socket: the socket itself comes and goes. */
export function withNotifyMount(spec: RuntimeSpec, stateDirectory: string): RuntimeSpec {
  const mount = {
    destination: place,
    type: 'bind',
    source: notifyDirectory(stateDirectory),
    options: ['bind', 'nosuid', 'noexec', 'nodev', 'ro'],
  };
  return { ...spec, mounts: [...(spec.mounts ?? []), mount] };
}

/** Makes the directory that `withNotifyMount` mounts. */
export function makeNotifyDirectory(stateDirectory: string): void {
  mkdirSync(notifyDirectory(stateDirectory), { mode: 0o755 });
}

/**
 * Begins to wait for a created container's readiness; undefined for one that was made without a socket. With `isMain` the
 * service manager looks after the container's process from then on, instead of this one.
 */
export async function expectReadiness(
  record: ContainerRecord,
  options: NotifyOptions & {
    readonly root: string;
    readonly isMain: boolean;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<Readiness | undefined> {
  const { root, isMain, signal, notifySocket } = options;
  const directory = notifyDirectory(containerDirectory(root, record.id));
  if (!notifySocket || record.init === undefined || !existsSync(directory)) return undefined;
  const target = record.init;
  // What starts processes takes long to load, and hardly any container is waited for.
  const { awaitReadiness } = await import('../init/notify.ts');
  return awaitReadiness({ target, directory, name: socketName, manager: notifySocket, isMain, signal });
}
