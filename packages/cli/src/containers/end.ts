import { setTimeout as delay } from 'node:timers/promises';
import { CliError } from '../errors.ts';
import type { KnownContainer } from './collection.ts';
import { askForExitNote } from './exit-note.ts';
import { readRecord } from './record.ts';
import { isActive, statusOf } from './status.ts';

/** How long an end may go unrecorded, in milliseconds: who records it needs a moment after the process is gone. */
const recordingTimeout = 10_000;

/** Longest pause between two looks, in milliseconds. */
const longestPause = 100;

/** What became of a container: its exit code, or that it is gone, or that nobody recorded its end. */
type End = number | 'removed' | 'unrecorded';

/** Waits until a container has ended and its end was recorded; undefined when it still runs after `timeout` ms. */
async function endOf(
  { directory }: KnownContainer,
  { timeout, signal }: { readonly timeout: number; readonly signal: AbortSignal },
): Promise<End | undefined> {
  const deadline = performance.now() + timeout;
  let endedSince: number | undefined;
  for (let pause = 2; ; pause = Math.min(pause * 2, longestPause)) {
    signal.throwIfAborted();
    const record = await readRecord(directory);
    if (record === undefined) return 'removed';
    const { state, exitCode } = await statusOf(record);
    if (exitCode !== undefined) return exitCode;
    const now = performance.now();
    endedSince = isActive(state) ? undefined : (endedSince ?? now);
    if (endedSince === undefined && now > deadline) return undefined;
    if (endedSince !== undefined && now - endedSince > recordingTimeout) return 'unrecorded';
    await delay(pause, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

/**
 * Waits for the end of a container and resolves with its exit code, also for one that has ended and for one that is
 * removed at its end. Throws ERR_OCI_CONTAINER_NOT_FOUND when it was removed already, and ERR_OCI_CONTAINER_INVALID
 * when how it ended was never recorded.
 */
export async function waitForEnd(container: KnownContainer, signal: AbortSignal): Promise<number> {
  const { name } = container.record;
  await using note = await askForExitNote(container.directory);
  const end = await endOf(container, { timeout: Number.POSITIVE_INFINITY, signal });
  if (typeof end === 'number') return end;
  // Whoever removes a container leaves its note before.
  const noted = await note?.read();
  if (noted !== undefined) return noted;
  if (end === 'removed') {
    throw new CliError('ERR_OCI_CONTAINER_NOT_FOUND', `container ${name} was removed meanwhile`);
  }
  throw new CliError('ERR_OCI_CONTAINER_INVALID', `how container ${name} ended was not recorded`, {
    hint: `the host or the \`oci\` that ran it was killed; remove it with \`oci rm ${name}\``,
  });
}

/** Waits until a container has ended, however; false when it still runs after `timeout` milliseconds. */
export async function waitUntilEnded(
  container: KnownContainer,
  options: { readonly timeout: number; readonly signal: AbortSignal },
): Promise<boolean> {
  return (await endOf(container, options)) !== undefined;
}
