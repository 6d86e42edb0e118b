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
  | { readonly type: 'unpack-start'; readonly layers: number; readonly total: number }
  | {
      readonly type: 'layer-progress';
      readonly index: number;
      readonly digest: Digest;
      readonly total: number;
      readonly done: number;
    }
  | { readonly type: 'layer-done'; readonly index: number; readonly digest: Digest; readonly entries: number }
  | { readonly type: 'warning'; readonly code: string; readonly message: string };

/** Receives events; must not throw. */
export type OnEvent = (event: OciEvent) => void;
