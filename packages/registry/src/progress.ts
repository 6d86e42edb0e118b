import type { BlobStatus, Descriptor, OnEvent } from '@ocijs/image';
import { timeouts } from './limits.ts';

/** Reports one blob's way; at most ten reports of progress a second. */
export interface BlobProgress {
  /** Begins, with the bytes that are there already. */
  start(done: number): void;
  /** Bytes there now. */
  moved(done: number): void;
  done(status: BlobStatus): void;
}

/** Makes the events of a blob. */
export function trackBlob({ digest, size: total }: Descriptor, onEvent: OnEvent | undefined): BlobProgress {
  let last = Number.NEGATIVE_INFINITY;
  return {
    start(done) {
      onEvent?.({ type: 'blob-start', digest, total, done });
    },
    moved(done) {
      if (onEvent === undefined) return;
      const now = performance.now();
      if (now - last < timeouts.progress) return;
      last = now;
      onEvent({ type: 'blob-progress', digest, total, done });
    },
    done(status) {
      onEvent?.({ type: 'blob-done', digest, total, status });
    },
  };
}
