import type { OciEvent } from '@ocijs/image';
import { formatBytes } from './bytes.ts';
import { printable } from './text.ts';

/** Speed and remaining time, as far as they are known: `85.3MB/s, 12 s left`. */
export function formatSpeed({
  bytesPerSecond,
  remainingMs,
}: Pick<
  Extract<OciEvent, { readonly type: 'transfer-progress' }>,
  'bytesPerSecond' | 'remainingMs'
>): string {
  const speed = `${formatBytes(bytesPerSecond)}/s`;
  return remainingMs === undefined ? speed : `${speed}, ${formatDuration(remainingMs)} left`;
}

/** A time span for a person: `12 s`, `3 min 20 s`, `2 h 5 min`. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** What a registry says of its limits, in a line; a quota only when it comes to an end. */
export function noteOf(
  event: Extract<OciEvent, { readonly type: 'slow-down' | 'rate-limit' }>,
): string | undefined {
  const registry = printable(event.registry);
  if (event.type === 'slow-down') {
    const { delayMs, concurrency } = event;
    return `${registry} asks to slow down: waiting ${formatDuration(delayMs)}, then at most ${concurrency} at once`;
  }
  const { remaining, limit } = event;
  if (remaining === undefined || remaining > Math.max(10, (limit ?? 0) / 10)) return undefined;
  return `${registry} allows ${remaining}${limit === undefined ? '' : ` of ${limit}`} more requests for now`;
}
