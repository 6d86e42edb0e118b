import type { OnEvent } from '@ocijs/image';
import { codeOf } from '../exit-codes.ts';
import { describeFailure } from '../render/failure.ts';
import type { Containers, KnownContainer } from './collection.ts';
import { readRecord } from './record.ts';
import { removeContainer } from './remove.ts';
import { isActive, statusOf } from './status.ts';

/**
 * Takes part in looking after a container that is to be removed at its end, until it is disposed of or this process ends,
 * however that happens. Several may at once: who starts a container in the background, and the supervisor that goes on.
 */
export async function lookAfter(directory: string): Promise<Disposable> {
  const { lockDirectory } = await import('@ocijs/bundle');
  return await lockDirectory(directory, { exclusive: false });
}

/**
 * Removes the containers of `run --rm` that have ended and that nobody looks after any more: who would have removed them
 * was killed. Those of other runtimes stay, since it is not known whether they have ended. What cannot be removed is reported
 * as a warning, and tried again the next time.
 */
export async function removeForgotten(containers: Containers, onEvent: OnEvent): Promise<void> {
  for (const container of await containers.list()) {
    try {
      if (container.record.remove && (await hasEnded(container)))
        await removeIfForgotten(containers, container);
    } catch (error) {
      // Removed by another process meanwhile.
      if (codeOf(error) === 'ENOENT') continue;
      const { code, message } = describeFailure(error);
      onEvent({ type: 'warning', code, message });
    }
  }
}

async function removeIfForgotten(containers: Containers, { directory }: KnownContainer): Promise<void> {
  const { tryLockDirectory } = await import('@ocijs/bundle');
  using lock = tryLockDirectory(directory, { exclusive: true });
  if (lock === undefined) return;
  // Looked at again: whoever held the lock a moment ago may just have begun.
  const record = await readRecord(directory);
  const container = record === undefined ? undefined : { directory, record };
  if (container !== undefined && (await hasEnded(container)))
    await removeContainer(containers, { container, force: false });
}

async function hasEnded({ record }: KnownContainer): Promise<boolean> {
  return record.runtime === undefined && !isActive((await statusOf(record)).state);
}
