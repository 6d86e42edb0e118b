import { setTimeout as pause } from 'node:timers/promises';
import type { OnEvent } from '@ocijs/image';
import { RegistryError } from '../errors.ts';
import { timeouts } from '../limits.ts';

/** How a unit of work is repeated. */
export interface RetryOptions {
  /** How often at most. */
  readonly retries: number;
  /** About how long the first pause is, in milliseconds. */
  readonly firstDelayMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: OnEvent | undefined;
  /** Asked after a failure; true gives the unit its full number of retries again, because it moved on. */
  readonly progressed?: (() => boolean) | undefined;
  /** True for an error that no repetition helps against, though it may pass later. */
  readonly isFinal?: ((error: RegistryError) => boolean) | undefined;
}

/** Counts the failures of one unit of work. */
export interface Retries {
  /** Waits before the next attempt, or throws the error when there is to be none. */
  failed(error: unknown): Promise<void>;
}

/**
 * Decides after each failure: only a retryable {@link RegistryError} is repeated, with doubling, jittered
 * pauses, or after as long as the registry asked for.
 */
export function createRetries(options: RetryOptions): Retries {
  const { retries, signal, onEvent } = options;
  let failures = 0;
  let attempt = 0;
  return {
    async failed(error) {
      signal?.throwIfAborted();
      attempt++;
      if (!(error instanceof RegistryError) || !error.retryable) throw error;
      if (options.isFinal?.(error)) throw error;
      failures = options.progressed?.() ? 1 : failures + 1;
      if (failures > retries) throw error;
      const delayMs = error.retryAfterMs ?? jittered(options.firstDelayMs * 2 ** (failures - 1));
      if (delayMs > timeouts.retryAfterMost) throw error;
      onEvent?.({ type: 'retry', url: error.facts.url ?? '', attempt, delayMs, reason: error.message });
      await wait(delayMs, signal);
    },
  };
}

/** Repeats a unit of work that ends with verified bytes, so that nothing half-done is kept. */
export async function withRetry<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  const retries = createRetries(options);
  for (;;) {
    options.signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      await retries.failed(error);
    }
  }
}

/** Between half and the whole of a pause, so that many clients do not come back together. */
function jittered(delayMs: number): number {
  const capped = Math.min(delayMs, timeouts.retryMost);
  return Math.round(capped * (0.5 + Math.random() / 2));
}

async function wait(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await pause(delayMs, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

/** Reads a Retry-After header (RFC 9110 section 10.2.3): seconds, or a date. In milliseconds. */
export function parseRetryAfter(value: string | undefined, now: number = Date.now()): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value.trim()) * 1000;
  const date = /^[A-Za-z]{3},? /.test(value.trim()) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
