import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { constants, flock, isSystemCallError } from '@ocijs/linux';

const longestPauseMs = 50;

/** How to lock. */
export interface DirectoryLockOptions {
  readonly exclusive: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** A lock on a directory; closing the descriptor gives it up, and so does the end of the process. */
export interface DirectoryLock extends Disposable {
  readonly fd: number;
}

/**
 * Waits for a flock(2) on a directory, which nothing is written for and nothing is left of. Rejects with the signal's
 * reason, and with ENOENT when there is no such directory.
 */
export async function lockDirectory(
  path: string,
  { exclusive, signal }: DirectoryLockOptions,
): Promise<DirectoryLock> {
  signal?.throwIfAborted();
  for (let pause = 1; ; pause = Math.min(pause * 2, longestPauseMs)) {
    const lock = tryLockDirectory(path, { exclusive });
    if (lock !== undefined) return lock;
    await sleep(pause);
    signal?.throwIfAborted();
  }
}

/** The same without waiting: undefined when somebody else holds it. */
export function tryLockDirectory(
  path: string,
  { exclusive }: Pick<DirectoryLockOptions, 'exclusive'>,
): DirectoryLock | undefined {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  let isLocked = false;
  try {
    isLocked = tryLock(fd, exclusive);
    return isLocked ? { fd, [Symbol.dispose]: () => closeSync(fd) } : undefined;
  } finally {
    if (!isLocked) closeSync(fd);
  }
}

function tryLock(fd: number, exclusive: boolean): boolean {
  try {
    flock(fd, { exclusive, nonblock: true });
    return true;
  } catch (error) {
    if (isSystemCallError(error, 'EAGAIN')) return false;
    throw error;
  }
}
