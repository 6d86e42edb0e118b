import type { LifecycleOptions } from './context.ts';
import type { PreparedContainer } from './creation.ts';
import { killFirst } from './end.ts';
import type { ExitStatus } from './exit.ts';
import { remove } from './remove.ts';

/** Ends a container whose monitor is our child, if it has not ended by itself, and waits for the monitor. */
export async function endAttached({ record, init, owners }: PreparedContainer): Promise<void> {
  killFirst(record);
  await init.exited;
  await init[Symbol.asyncDispose]();
  await owners?.[Symbol.asyncDispose]();
}

/** Waits for a process whose monitor is our child; rejects with the signal's reason when aborted. */
export async function waitFor(
  exited: Promise<ExitStatus>,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<ExitStatus> {
  const { signal } = options;
  if (signal === undefined) return await exited;
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([exited, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Starts a prepared container, waits for its end and deletes it, whatever happens in between. */
export async function removeAfterExit(
  container: PreparedContainer,
  options: LifecycleOptions & { readonly keep?: boolean },
  start: () => Promise<void>,
): Promise<ExitStatus> {
  let isWhole = false;
  try {
    await start();
    const status = await waitFor(container.init.exited, options);
    isWhole = true;
    return status;
  } finally {
    await endAttached(container);
    if (!options.keep || !isWhole) {
      await remove(container.record.id, { root: container.root, force: true, onEvent: options.onEvent });
    }
  }
}
