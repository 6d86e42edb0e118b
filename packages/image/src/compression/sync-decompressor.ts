import { zlibSync } from './engines.ts';
import { createExpansionGuard, type ExpansionOptions } from './expansion.ts';
import { createSyncGunzip } from './gzip-sync.ts';
import type { Compression } from './types.ts';

/** Decompresses synchronously; of no use after it threw. */
export interface SyncDecompressor {
  /** Takes the next bytes and calls `onOutput` for what they expand to, before it returns. */
  push(chunk: Uint8Array): void;
  /** Throws ERR_OCI_COMPRESSION_INVALID when the stream was cut off. */
  finish(): void;
}

/**
 * Creates a decompressor for a worker thread that has nothing else to do. Undefined when there is no
 * synchronous engine, which is so for zstd (see `createEngineUnzstd`), and for gzip without a working zlib-sync or after some 30 layers in one
 * thread: use `decompress()` then, whose results and errors are the same. The chunks that `onOutput` gets are
 * its own to keep; for `none` they are the ones that were pushed.
 *
 * `push` and `finish` throw ERR_OCI_COMPRESSION_INVALID, ERR_OCI_LIMIT_EXCEEDED, and what `onOutput` throws.
 */
export function createSyncDecompressor(
  compression: Compression,
  onOutput: (chunk: Uint8Array) => void,
  options: ExpansionOptions = {},
): SyncDecompressor | undefined {
  const guard = createExpansionGuard(options);
  const emit = (chunk: Uint8Array): void => {
    guard.produced(chunk.length);
    onOutput(chunk);
  };
  const decoder = createDecoder(compression, emit);
  if (decoder === undefined) return undefined;
  return {
    push(chunk: Uint8Array): void {
      guard.consumed(chunk.length);
      decoder.push(chunk);
    },
    finish: () => decoder.finish(),
  };
}

function createDecoder(
  compression: Compression,
  emit: (chunk: Uint8Array) => void,
): SyncDecompressor | undefined {
  if (compression === 'zstd') return undefined;
  if (compression === 'none') return { push: emit, finish: () => undefined };
  const library = zlibSync();
  return library === undefined ? undefined : createSyncGunzip(library, emit);
}
