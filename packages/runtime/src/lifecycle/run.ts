import { removeAfterExit } from './attached.ts';
import { type CreateOptions, prepare } from './create.ts';
import type { ExitStatus } from './exit.ts';
import { expectReadiness } from './notify.ts';
import { startAndTell, startRecord } from './start.ts';

/** Options of {@link run}. */
export interface RunOptions extends CreateOptions {
  /** Keep the container's state when it ended, until `remove`. */
  readonly keep?: boolean;
  /** Told of the init's process id as soon as it runs, to forward signals to. */
  readonly onStarted?: (pid: number) => void;
}

/**
 * Creates and starts a container, waits for its end and deletes it. The terminal, when it has one, is this
 * process's. Throws what `create` and `start` throw; aborting kills and deletes the container.
 */
export async function run(id: string, options: RunOptions): Promise<ExitStatus> {
  const container = await prepare(id, { ...options, lifetime: 'attached' });
  return await removeAfterExit(container, options, async () => {
    const { root } = container;
    const readiness = await expectReadiness(container.record, { ...options, root, isMain: false });
    readiness?.told.catch((error: Error) =>
      options.onEvent?.({ type: 'warning', code: 'ERR_OCI_INIT_FAILED', message: error.message }),
    );
    await startRecord(container.record, { ...options, root });
    options.onStarted?.(container.init.pid);
  });
}

/**
 * Creates and starts a container that outlives this process (`run --detach`); returns its init's process id. With a
 * `notifySocket` it waits until the container is ready.
 */
export async function runDetached(id: string, options: CreateOptions): Promise<number> {
  const { root, record, init } = await prepare(id, { ...options, lifetime: 'detached' });
  await startAndTell(record, { ...options, root });
  return init.pid;
}
