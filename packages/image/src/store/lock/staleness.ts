import { lstat } from 'node:fs/promises';
import { errnoOf } from '../failure.ts';
import { tokenLiveness } from './owner.ts';

/** How often a holder renews its lock. */
export const HEARTBEAT_MS = 3000;
/** How long a holder that cannot be seen may go without renewing its lock. */
export const LEASE_MS = 30_000;

/** Judges whether the owner of a lock is gone, over several looks at it. */
export interface Staleness {
  /** True when the process behind `token` is gone, or has not renewed the lock at `path` for {@link LEASE_MS}. */
  isStale(path: string, token: string): Promise<boolean>;
}

interface Sight {
  readonly token: string;
  readonly renewed: bigint;
  readonly since: number;
}

/** Starts watching. Only this process's own monotonic clock counts: those of others may be wrong. */
export function createStaleness(leaseMs: number = LEASE_MS): Staleness {
  const sights = new Map<string, Sight>();
  return {
    async isStale(path, token) {
      const liveness = tokenLiveness(token);
      if (liveness !== 'unknown') return liveness === 'gone';
      const renewed = await renewalTime(path);
      if (renewed === undefined) return false;
      const last = sights.get(path);
      const now = performance.now();
      if (last?.token === token && last.renewed === renewed) return now - last.since > leaseMs;
      sights.set(path, { token, renewed, since: now });
      return false;
    },
  };
}

async function renewalTime(path: string): Promise<bigint | undefined> {
  try {
    return (await lstat(path, { bigint: true })).mtimeNs;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
