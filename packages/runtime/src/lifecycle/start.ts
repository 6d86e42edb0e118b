import { RuntimeError } from '../errors.ts';
import { releaseInit } from '../init/release.ts';
import { waitForEnd } from '../process/signal.ts';
import type { ContainerRecord } from '../state/record.ts';
import { containerStatus } from '../state/status.ts';
import { containerDirectory } from '../state/store.ts';
import { requireProcess } from './check.ts';
import { hookState, type LifecycleOptions, requireRecord, stateRoot } from './context.ts';
import { killFirst } from './end.ts';
import { expectReadiness, type NotifyOptions } from './notify.ts';
import { remove } from './remove.ts';

const refusals = {
  creating: 'is still being created',
  running: 'is running already',
  paused: 'is paused',
  stopped: 'has stopped',
} as const;

/** Starts a container whose record is known; see {@link start}. */
export async function startRecord(record: ContainerRecord, options: LifecycleOptions): Promise<void> {
  const root = stateRoot(options);
  const status = containerStatus(root, record);
  if (status !== 'created' || record.init === undefined) {
    const reason = refusals[status === 'created' ? 'creating' : status];
    throw new RuntimeError('ERR_OCI_CONTAINER_STATE', `cannot start container ${record.id}: it ${reason}`, {
      actual: status,
      expected: 'created',
    });
  }
  if (record.spec.process === undefined) {
    // Nothing can ever become of it; stopped, it can be deleted.
    if (killFirst(record)) await waitForEnd(record.init, { signal: options.signal });
    requireProcess(record.spec);
  }
  const directory = containerDirectory(root, record.id);
  const hasHooks = (record.spec.hooks?.startContainer ?? []).length > 0;
  const result = hasHooks ? (await import('../init/start-result.ts')).openStartResult(directory) : undefined;
  using _result = result;
  await releaseInit(directory, record.init.pid, { ...(options.signal && { signal: options.signal }) });
  try {
    await result?.wait(options.signal);
    const { poststart = [] } = record.spec.hooks ?? {};
    if (poststart.length === 0) return;
    const { runHooks } = await import('./hooks.ts');
    const state = hookState(root, record, 'running');
    await runHooks(poststart, { name: 'poststart', state, signal: options.signal });
  } catch (error) {
    await remove(record.id, { root, force: true, onEvent: options.onEvent });
    throw error;
  }
}

/** Starts a container that outlives this process, and waits for its readiness where that is asked for. */
export async function startAndTell(
  record: ContainerRecord,
  options: LifecycleOptions & NotifyOptions,
): Promise<void> {
  const root = stateRoot(options);
  const readiness = await expectReadiness(record, { ...options, root, isMain: true });
  await Promise.all([startRecord(record, options), readiness?.told]);
}

/**
 * Lets the process of a created container run (runtime-spec `runtime.md`, "Start"). When a startContainer or
 * poststart hook fails, the container is stopped and deleted. With a `notifySocket` this returns when the container is ready,
 * or has ended. Throws ERR_OCI_CONTAINER_NOT_FOUND, ERR_OCI_CONTAINER_STATE, ERR_OCI_HOOK_FAILED.
 */
export async function start(id: string, options: LifecycleOptions & NotifyOptions = {}): Promise<void> {
  options.signal?.throwIfAborted();
  await startAndTell(requireRecord(stateRoot(options), id), options);
}
