import { type FSWatcher, watch } from 'node:fs';
import { readTable } from '../cgroup/stats/read.ts';
import type { ContainerStats, Counter } from '../cgroup/stats/types.ts';
import { oomPollInterval } from '../limits.ts';
import type { ContainerRecord } from '../state/record.ts';
import { containerStatus } from '../state/status.ts';
import { type LifecycleOptions, requireRecord, stateRoot } from './context.ts';
import { stats } from './stats.ts';

/** Something that happened to a container: its usage was measured, or the kernel killed a process for want of memory. */
export type ContainerEvent =
  | { readonly type: 'stats'; readonly id: string; readonly data: ContainerStats }
  | { readonly type: 'oom'; readonly id: string };

/** Options of {@link events}. */
export interface EventsOptions extends LifecycleOptions {
  /** Milliseconds between two measurements, 5000 by default; 0 for none but of memory running out. */
  readonly interval?: number;
}

/** The file that counts the processes killed for want of memory, and whether the kernel tells of its changes. */
function oomFile(record: ContainerRecord): { readonly path: string; readonly tells: boolean } | undefined {
  for (const { path, version, controllers } of record.cgroup?.directories ?? []) {
    if (version === 'v1' && controllers.includes('memory')) {
      return { path: `${path}/memory.oom_control`, tells: false };
    }
  }
  const unified = record.cgroup?.directories.find(({ version }) => version === 'v2');
  return unified === undefined ? undefined : { path: `${unified.path}/memory.events`, tells: true };
}

/** Wakes whoever waits, and remembers that it did. */
class Bell {
  #ring: (() => void) | undefined;
  #hasRung = false;

  ring = (): void => {
    this.#hasRung = true;
    this.#ring?.();
  };

  async wait(milliseconds: number): Promise<void> {
    if (!this.#hasRung) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, milliseconds);
      this.#ring = resolve;
      await promise;
      clearTimeout(timer);
    }
    this.#hasRung = false;
    this.#ring = undefined;
  }
}

function watchFile(path: string, bell: Bell): FSWatcher | undefined {
  try {
    return watch(path, { persistent: false }, bell.ring).on('error', bell.ring);
  } catch {
    // Without notification the count is looked at from time to time.
    return undefined;
  }
}

/**
 * What happens to a container, until it ends or `signal` is aborted (then it throws the signal's reason). Throws
 * ERR_OCI_CONTAINER_NOT_FOUND and ERR_OCI_CONTAINER_NOT_RUNNING.
 */
export async function* events(id: string, options: EventsOptions = {}): AsyncGenerator<ContainerEvent> {
  const { signal, interval = 5000 } = options;
  signal?.throwIfAborted();
  const root = stateRoot(options);
  const record = requireRecord(root, id);
  stats(id, options);
  const oom = oomFile(record);
  const kills = (): Counter => (oom === undefined ? 0 : (readTable(oom.path)['oom_kill'] ?? 0));
  const isThere = (): boolean => !['stopped', 'creating'].includes(containerStatus(root, record));
  const measure = (): ContainerStats | undefined => {
    try {
      return stats(id, options);
    } catch (error) {
      // It may end at any moment, and its end is no failure.
      if (isThere()) throw error;
      return undefined;
    }
  };
  const bell = new Bell();
  const watcher = oom?.tells ? watchFile(oom.path, bell) : undefined;
  signal?.addEventListener('abort', bell.ring, { once: true });
  try {
    let seen = kills();
    for (let next = Date.now() + interval; ; ) {
      const pause = watcher === undefined ? oomPollInterval : 1000;
      await bell.wait(interval === 0 ? pause : Math.max(1, Math.min(pause, next - Date.now())));
      signal?.throwIfAborted();
      const now = kills();
      // A group that is gone counts nothing any more.
      if (now > seen) yield { type: 'oom', id };
      seen = now > seen ? now : seen;
      if (!isThere()) return;
      if (interval === 0 || Date.now() < next) continue;
      next = Date.now() + interval;
      const data = measure();
      if (data === undefined) return;
      yield { type: 'stats', id, data };
    }
  } finally {
    watcher?.close();
    signal?.removeEventListener('abort', bell.ring);
  }
}
