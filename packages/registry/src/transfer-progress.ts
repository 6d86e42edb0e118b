import type { OciEvent, OnEvent } from '@ocijs/image';
import { timeouts } from './limits.ts';

/** The speed is that of this time, so that it follows the network and does not jump. */
const windowMs = 5_000;

/** What is reckoned with at one moment. */
interface Sample {
  readonly at: number;
  readonly moved: number;
}

/**
 * Adds `transfer-progress` events to those of single blobs: bytes of all blobs together, speed and remaining time.
 * Bytes that were there before count as done, but not for the speed. When nothing moves, nothing is added.
 */
export function withTransferProgress(
  onEvent: OnEvent | undefined,
  { direction, total }: { readonly direction: 'pull' | 'push'; readonly total: number },
): OnEvent | undefined {
  if (onEvent === undefined) return undefined;
  const blobs = new Map<string, number>();
  const samples: Sample[] = [{ at: performance.now(), moved: 0 }];
  let done = 0;
  let moved = 0;
  let last = Number.NEGATIVE_INFINITY;

  const report = (): void => {
    const now = performance.now();
    if (now - last < timeouts.progress && done < total) return;
    last = now;
    samples.push({ at: now, moved });
    while (samples.length > 2 && now - (samples[0]?.at ?? now) > windowMs) samples.shift();
    const [first] = samples;
    const elapsed = now - (first?.at ?? now);
    const bytesPerSecond = elapsed > 0 ? ((moved - (first?.moved ?? 0)) / elapsed) * 1000 : 0;
    const remainingMs = Math.round(((total - done) / bytesPerSecond) * 1000);
    onEvent({
      type: 'transfer-progress',
      direction,
      total,
      done,
      bytesPerSecond: Math.round(bytesPerSecond),
      ...(Number.isSafeInteger(remainingMs) ? { remainingMs } : {}),
    });
  };
  /** A blob that starts over goes back: what came in vain has moved all the same. */
  const advance = (
    event: Extract<OciEvent, { readonly digest: string }>,
    now: number,
    counts: boolean,
  ): void => {
    const step = now - (blobs.get(event.digest) ?? 0);
    blobs.set(event.digest, now);
    done += step;
    if (counts && step > 0) moved += step;
  };

  return (event) => {
    onEvent(event);
    if (event.type === 'blob-start') advance(event, event.done, false);
    else if (event.type === 'blob-progress') advance(event, event.done, true);
    else if (event.type === 'blob-done') advance(event, event.total, isMoved(event.status));
    else return;
    if (moved > 0) report();
  };
}

function isMoved(status: Extract<OciEvent, { readonly type: 'blob-done' }>['status']): boolean {
  return status === 'fetched' || status === 'resumed' || status === 'pushed';
}
