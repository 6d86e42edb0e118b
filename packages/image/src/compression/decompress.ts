import { abortable } from '../digest/abortable.ts';
import { detectReadableCompression, MAGIC_BYTES } from './detect.ts';
import { createExpansionGuard, type ExpansionGuard, type ExpansionOptions } from './expansion.ts';
import { decodeGzip } from './gzip-decode.ts';
import { DECOMPRESSED_CHUNK_SIZE } from './limits.ts';
import { decodeWithProgram } from './program-decode.ts';
import type { ReadableCompression } from './types.ts';
import { decodeZstd } from './zstd-decode.ts';

/** Options of {@link decompress}. */
export interface DecompressOptions extends ExpansionOptions {
  /** `auto`, which is the default, tells it by the first bytes. */
  readonly compression?: ReadableCompression | 'auto' | undefined;
  /**
   * The largest chunk that the decompressors yield, in bytes; 256 KiB unless given. Each is a turn of the event
   * loop, so that 1 MiB takes a fifth less time. Only small zstd frames, of at most 4 MiB, come whole.
   */
  readonly chunkSize?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Decompresses a stream: all members of gzip, all frames of zstd, zero padding behind them; xz and bzip2 with the
 * system's programs. The source is
 * read to its end before the result ends, and closed when the reader stops early or aborts.
 *
 * Throws ERR_OCI_COMPRESSION_INVALID for a stream that is damaged, cut off or followed by something else;
 * ERR_OCI_COMPRESSION_UNSUPPORTED for xz and bzip2 when the system has no program of that name; ERR_OCI_LIMIT_EXCEEDED when it expands too much or wants
 * a zstd window above 128 MiB; what the source throws; and `signal.reason`.
 */
export async function* decompress(
  source: AsyncIterable<Uint8Array>,
  { compression = 'auto', chunkSize = DECOMPRESSED_CHUNK_SIZE, signal, ...expansion }: DecompressOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const guard = createExpansionGuard(expansion);
  const input = abortable(counted(source, guard), signal);
  for await (const chunk of decode(input, { compression, chunkSize })) {
    signal?.throwIfAborted();
    guard.produced(chunk.length);
    yield chunk;
  }
}

interface DecodeOptions {
  readonly compression: ReadableCompression | 'auto';
  readonly chunkSize: number;
}

function decode(
  source: AsyncIterable<Uint8Array>,
  { compression, chunkSize }: DecodeOptions,
): AsyncIterable<Uint8Array> {
  switch (compression) {
    case 'gzip':
      return decodeGzip(source, { chunkSize });
    case 'zstd':
      return decodeZstd(source, { chunkSize });
    case 'xz':
    case 'bzip2':
      return decodeWithProgram(compression, source);
    case 'none':
      return source;
    case 'auto':
      return decodeDetected(source, { chunkSize });
  }
}

async function* decodeDetected(
  source: AsyncIterable<Uint8Array>,
  { chunkSize }: { readonly chunkSize: number },
): AsyncGenerator<Uint8Array, void, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    let head: Uint8Array = new Uint8Array();
    while (head.length < MAGIC_BYTES) {
      const { value, done } = await iterator.next();
      if (done) break;
      head = head.length === 0 ? value : Buffer.concat([head, value]);
    }
    yield* decode(resume(head, iterator), { compression: detectReadableCompression(head), chunkSize });
  } finally {
    await iterator.return?.();
  }
}

async function* resume(
  head: Uint8Array,
  iterator: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (head.length > 0) yield head;
  for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  guard: ExpansionGuard,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of source) {
    guard.consumed(chunk.length);
    yield chunk;
  }
}
