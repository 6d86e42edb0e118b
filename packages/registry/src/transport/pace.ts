import type { OnEvent } from '@ocijs/image';
import { timeouts } from '../limits.ts';
import { parseRateLimit, type RateLimitHeaders, requestedPause } from './rate-limit.ts';

/** A right to have one transfer of content under way. */
export interface Lane {
  /** Says that there are more transfers than there may be now; whoever can do with less, ends. */
  readonly isExcess: boolean;
  /** Gives the right back. Idempotent. */
  release(): void;
}

/** How many transfers a registry gets at once: fewer when it says that it is too much, and slowly more again. */
export interface Pace {
  /** Transfers that may be under way now. */
  readonly limit: number;
  /** Waits for a lane, and for the end of a pause that the registry asked for. Rejects with the signal's reason. */
  enter(signal?: AbortSignal): Promise<Lane>;
  /** A lane that nobody else needs at the moment. */
  tryEnter(): Lane | undefined;
  /** Takes note of an answer. */
  answered(answer: RateLimitHeaders & { readonly status: number }): void;
}

export interface PaceOptions {
  /** For events. */
  readonly registry: string;
  /** Transfers at once at most. */
  readonly concurrency: number;
  readonly onEvent?: OnEvent | undefined;
}

interface Waiting {
  admit(): void;
}

/**
 * Makes the pace of one session. A 429 or 503 halves the number of transfers and keeps new ones waiting for as long
 * as the registry asks; answers to requests that were already under way then do not halve it again. As many good
 * answers as there are transfers allow for one more.
 */
export function createPace({ registry, concurrency, onEvent }: PaceOptions): Pace {
  const most = Math.max(1, Math.floor(concurrency));
  const queue = new Set<Waiting>();
  let limit = most;
  let active = 0;
  let good = 0;
  let pausedUntil = 0;
  /** Until then, refusals are for what was sent before the last change. */
  let settledAt = 0;
  let timer: NodeJS.Timeout | undefined;
  let lastSaid = '';

  const isFree = (): boolean => active < limit && performance.now() >= pausedUntil;
  const lane = (): Lane => {
    active++;
    let released = false;
    return {
      get isExcess() {
        return active > limit;
      },
      release() {
        if (released) return;
        released = true;
        active--;
        admit();
      },
    };
  };
  const admit = (): void => {
    for (const next of queue) {
      if (!isFree()) break;
      queue.delete(next);
      next.admit();
    }
    const pause = pausedUntil - performance.now();
    if (queue.size === 0 || pause <= 0 || timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      admit();
    }, Math.ceil(pause));
  };

  const slowDown = (answer: RateLimitHeaders): void => {
    const now = performance.now();
    const delayMs = requestedPause(answer) ?? timeouts.slowDown;
    // Who is asked to wait for longer gives up with an error, and must not keep the others waiting.
    pausedUntil = Math.max(pausedUntil, now + Math.min(delayMs, timeouts.retryAfterMost));
    if (now < settledAt) return;
    settledAt = now + Math.max(delayMs, timeouts.slowDown);
    limit = Math.max(1, Math.floor(Math.min(limit, Math.max(active, 1)) / 2));
    good = 0;
    onEvent?.({ type: 'slow-down', registry, delayMs, concurrency: limit });
  };

  const speedUp = (): void => {
    if (limit >= most) return;
    good++;
    if (good < limit) return;
    good = 0;
    limit++;
    admit();
  };

  const say = (answer: RateLimitHeaders): void => {
    const found = parseRateLimit(answer);
    if (found === undefined || onEvent === undefined) return;
    const said = `${found.limit} ${found.remaining}`;
    if (said === lastSaid) return;
    lastSaid = said;
    onEvent({ type: 'rate-limit', registry, ...found });
  };

  return {
    get limit() {
      return limit;
    },
    async enter(signal) {
      signal?.throwIfAborted();
      if (queue.size === 0 && isFree()) return lane();
      const { promise, resolve, reject } = Promise.withResolvers<Lane>();
      const waiting: Waiting = { admit: () => resolve(lane()) };
      const onAbort = (): void => {
        queue.delete(waiting);
        reject(signal?.reason);
      };
      queue.add(waiting);
      signal?.addEventListener('abort', onAbort, { once: true });
      admit();
      try {
        return await promise;
      } finally {
        signal?.removeEventListener('abort', onAbort);
        if (queue.size === 0) {
          clearTimeout(timer);
          timer = undefined;
        }
      }
    },
    tryEnter: () => (queue.size === 0 && isFree() ? lane() : undefined),
    answered(answer) {
      say(answer);
      if (answer.status === 429 || answer.status === 503) slowDown(answer);
      else if (answer.status < 400) speedUp();
    },
  };
}
