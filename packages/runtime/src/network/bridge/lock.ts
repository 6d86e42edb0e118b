import { closeSync, mkdirSync, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Where networks of this host are agreed on: which state directory has which addresses. Gone after a start of the host, as
 * the networks are.
 */
export const registry = '/run/oci-networks';

/** The longest pause between two attempts, in milliseconds. */
const longestPause = 50;

/** Runs something while no other process of this host changes its networks; a killed holder lets go. */
export async function withNetworkLock<Result>(
  signal: AbortSignal | undefined,
  action: () => Promise<Result>,
): Promise<Result> {
  const { flock, isSystemCallError } = await import('@ocijs/linux');
  mkdirSync(registry, { recursive: true, mode: 0o700 });
  const fd = openSync(`${registry}/lock`, 'a', 0o600);
  try {
    for (let pause = 1; ; pause = Math.min(pause * 2, longestPause)) {
      signal?.throwIfAborted();
      try {
        flock(fd, { exclusive: true, nonblock: true });
        break;
      } catch (error) {
        if (!isSystemCallError(error, 'EAGAIN')) throw error;
      }
      await delay(pause * (0.5 + Math.random()));
    }
    return await action();
  } finally {
    closeSync(fd);
  }
}
