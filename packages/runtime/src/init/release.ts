import { closeSync, constants, openSync, unlinkSync, writeSync } from 'node:fs';
import { RuntimeError } from '../errors.ts';

function notWaiting(pid: number, cause: unknown): RuntimeError {
  return new RuntimeError(
    'ERR_OCI_CONTAINER_NOT_RUNNING',
    `the init ${pid} does not wait to be started any more`,
    {
      actual: pid,
      cause,
    },
  );
}

/**
 * Lets a created container's process run. The init holds the fifo open while it waits, so that opening it
 * never blocks: without a reader the init is gone. Throws ERR_OCI_CONTAINER_NOT_RUNNING then, and when it was started
 * before.
 */
export async function releaseInit(
  stateDirectory: string,
  pid: number,
  options: { readonly signal?: AbortSignal } = {},
): Promise<void> {
  options.signal?.throwIfAborted();
  const path = `${stateDirectory}/exec.fifo`;
  let fd: number;
  try {
    fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENXIO' || code === 'ENOENT') throw notWaiting(pid, error);
    throw error;
  }
  try {
    // First: of two callers only one may write.
    unlinkSync(path);
    writeSync(fd, '\0');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EPIPE') throw notWaiting(pid, error);
    throw error;
  } finally {
    closeSync(fd);
  }
}
