import { constants } from 'node:os';
import { CliError } from '../errors.ts';
import { codeOf } from '../exit-codes.ts';
import { wouldBeDropped } from '../run/signals.ts';
import type { KnownContainer } from './collection.ts';
import { waitUntilEnded } from './end.ts';
import type { ContainerRecord } from './record.ts';
import { requireRunning } from './running.ts';
import { isActive, statusOf } from './status.ts';

/** How long a killed container may take to end, in milliseconds. */
const killTimeout = 10_000;

/** How to stop a container. */
export interface StopOptions {
  /** Milliseconds between the signal and SIGKILL; infinite for no SIGKILL. */
  readonly timeout: number;
  /** Instead of the container's stop signal. */
  readonly stopSignal?: string;
  readonly signal: AbortSignal;
}

/**
 * Ends a container: sends the stop signal of its image, or SIGTERM, then SIGKILL, and resolves when it has ended. One that has
 * ended already is left as it is. A first process that the kernel would keep from the signal is killed at once, for it
 * would never learn of it. Throws ERR_OCI_CONTAINER_NOT_RUNNING for one that is being prepared, and
 * ERR_OCI_CONTAINER_RUNNING when it does not even end by SIGKILL.
 */
export async function stopContainer(container: KnownContainer, options: StopOptions): Promise<void> {
  const { record } = container;
  const before = await statusOf(record);
  if (!isActive(before.state)) return;
  const { state, pid } = await requireRunning(container);
  const { resume } = await import('@ocijs/runtime');
  const stopSignal = await stopSignalOf({
    ...record,
    ...(options.stopSignal && { stopSignal: options.stopSignal }),
  });
  const isDropped =
    pid !== undefined && Number.isFinite(options.timeout) && (await wouldBeDropped(pid, stopSignal));
  if (!isDropped) {
    await send(container, stopSignal);
    // A paused process does not handle a signal before it goes on.
    if (state === 'paused') await ignoringEnd(() => resume(record.id, { root: record.root }));
    if (await waitUntilEnded(container, options)) return;
  }
  await send(container, constants.signals.SIGKILL);
  if (await waitUntilEnded(container, { ...options, timeout: killTimeout })) return;
  throw new CliError('ERR_OCI_CONTAINER_RUNNING', `container ${record.name} does not end`, {
    hint: 'a process of it is perhaps in uninterruptible sleep; try again later',
  });
}

async function stopSignalOf({ name, stopSignal = 'SIGTERM' }: ContainerRecord): Promise<number> {
  const { parseSignal } = await import('@ocijs/runtime');
  try {
    return parseSignal(stopSignal);
  } catch (cause) {
    const text = JSON.stringify(stopSignal);
    throw new CliError('ERR_OCI_CONTAINER_INVALID', `the stop signal ${text} of container ${name} is none`, {
      hint: `the image is wrong; end it with \`oci kill --signal TERM ${name}\``,
      cause,
    });
  }
}

async function send({ record }: KnownContainer, signal: number): Promise<void> {
  const { kill } = await import('@ocijs/runtime');
  await ignoringEnd(() => kill(record.id, signal, { root: record.root }));
}

const endedCodes: ReadonlySet<string | undefined> = new Set([
  'ERR_OCI_CONTAINER_NOT_RUNNING',
  'ERR_OCI_CONTAINER_NOT_FOUND',
  'ERR_OCI_CONTAINER_STATE',
]);

/** That a container ended by itself meanwhile is what stopping is for. */
async function ignoringEnd(action: () => void): Promise<void> {
  try {
    action();
  } catch (error) {
    if (!endedCodes.has(codeOf(error))) throw error;
  }
}
