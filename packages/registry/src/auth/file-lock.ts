import { open, rm, stat } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { timeouts } from '../limits.ts';

/**
 * Runs work while no other process of ours does work under the same lock file, which exists meanwhile. A lock
 * that its owner left behind by dying is taken over after a while.
 */
export async function withFileLock<T>(
  path: string,
  { work, signal }: { readonly work: () => Promise<T>; readonly signal?: AbortSignal | undefined },
): Promise<T> {
  while (!(await take(path))) {
    signal?.throwIfAborted();
    if (await isAbandoned(path)) await rm(path, { force: true });
    else await pause(timeouts.fileLockPoll);
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function take(path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx', 0o600)).close();
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'EEXIST') return false;
    throw error;
  }
}

async function isAbandoned(path: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(path)).mtimeMs > timeouts.fileLock;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return false;
    throw error;
  }
}
