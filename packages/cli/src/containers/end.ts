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

/**
 * Waits for the end of a container and resolves with its exit code, also for one that has ended and for one that is
 * removed at its end. Throws ERR_OCI_CONTAINER_NOT_FOUND and ERR_OCI_CONTAINER_INVALID when how it ended was never recorded.
 */
export async function waitForEnd(container: KnownContainer, signal: AbortSignal): Promise<number> {
  const { directory, record } = container;
  await using note = await askForExitNote(directory);
  let endedSince: number | undefined;
  for (let pause = 2; ; pause = Math.min(pause * 2, longestPause)) {
    signal.throwIfAborted();
    // In this order: what is removed has left its note before.
    const current = await readRecord(directory);
    const noted = await note?.read();
    if (noted !== undefined) return noted;
    if (current === undefined) throw removed(record.name);
    const { state, exitCode } = await statusOf(current);
    if (exitCode !== undefined) return exitCode;
    endedSince = isActive(state) ? undefined : (endedSince ?? performance.now());
    if (endedSince !== undefined && performance.now() - endedSince > recordingTimeout) {
      throw new CliError('ERR_OCI_CONTAINER_INVALID', `how container ${record.name} ended was not recorded`, {
        hint: `the host or the \`oci\` that ran it was killed; remove it with \`oci rm ${record.name}\``,
      });
    }
    await delay(pause, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

function removed(name: string): CliError {
  return new CliError('ERR_OCI_CONTAINER_NOT_FOUND', `container ${name} was removed meanwhile`);
}

/** Waits until a container has ended, however; false when it still runs after `timeout` milliseconds. */
export async function waitUntilEnded(
  { directory }: KnownContainer,
  { timeout, signal }: { readonly timeout: number; readonly signal: AbortSignal },
): Promise<boolean> {
  const deadline = performance.now() + timeout;
  for (let pause = 2; ; pause = Math.min(pause * 2, longestPause)) {
    signal.throwIfAborted();
    const record = await readRecord(directory);
    if (record === undefined || !isActive((await statusOf(record)).state)) return true;
    if (performance.now() > deadline) return false;
    await delay(pause, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}
