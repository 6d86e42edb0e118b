import type { Digest } from './digest/digest.ts';

/** How a blob came to its place. */
export type BlobStatus = 'fetched' | 'reused' | 'resumed' | 'pushed' | 'exists' | 'mounted';

/**
 * What happens while images move and unpack. Libraries never print; whoever passes `onEvent` renders.
 * All counts are bytes unless the name says otherwise.
 */
export type OciEvent =
  | {
      readonly type: 'resolve';
      readonly reference: string;
      readonly digest: Digest;
      readonly mediaType: string;
    }
  | { readonly type: 'blob-start'; readonly digest: Digest; readonly total: number; readonly done: number }
  | { readonly type: 'blob-progress'; readonly digest: Digest; readonly total: number; readonly done: number }
  | {
      readonly type: 'blob-done';
      readonly digest: Digest;
      readonly total: number;
      readonly status: BlobStatus;
    }
  | {
      readonly type: 'retry';
      readonly url: string;
      readonly attempt: number;
      readonly delayMs: number;
      readonly reason: string;
    }
  /** All blobs of a pull or push together; at most ten times a second. */
  | {
      readonly type: 'transfer-progress';
      readonly direction: 'pull' | 'push';
      readonly total: number;
      readonly done: number;
      /** Of the last few seconds. */
      readonly bytesPerSecond: number;
      /** Milliseconds; not there while there is no speed to reckon with. */
      readonly remainingMs?: number;
    }
  /** What a registry says of its limits, when that changes. */
  | {
      readonly type: 'rate-limit';
      readonly registry: string;
      /** Requests in a window. */
      readonly limit?: number;
      /** Requests that are left. */
      readonly remaining?: number;
      readonly windowMs?: number;
      /** Milliseconds until the window ends. */
      readonly resetMs?: number;
    }
  /** A registry asked for patience: new transfers wait, and fewer go on at once. */
  | {
      readonly type: 'slow-down';
      readonly registry: string;
      readonly delayMs: number;
      /** Transfers at once from now on. */
      readonly concurrency: number;
    }
  | { readonly type: 'unpack-start'; readonly layers: number; readonly total: number }
  | {
      readonly type: 'layer-progress';
      readonly index: number;
      readonly digest: Digest;
      readonly total: number;
      readonly done: number;
    }
  /** A layer was read without unpacking it; counts are compressed bytes of all layers. */
  | {
      readonly type: 'layer-read';
      readonly index: number;
      readonly digest: Digest;
      readonly total: number;
      readonly done: number;
    }
  | { readonly type: 'layer-done'; readonly index: number; readonly digest: Digest; readonly entries: number }
  /** A container's seccomp filter was compiled; `flags` are those that seccomp(2) gets. */
  | { readonly type: 'seccomp-filter'; readonly flags: number; readonly instructions: number }
  | { readonly type: 'warning'; readonly code: string; readonly message: string };

/** Receives events; must not throw. */
export type OnEvent = (event: OciEvent) => void;
