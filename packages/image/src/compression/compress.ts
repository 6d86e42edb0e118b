import { constants, createZstdCompress } from 'node:zlib';
import { abortable } from '../digest/abortable.ts';
import { parallelGzip } from './parallel-gzip.ts';
import { pump } from './pump.ts';
import type { Compression } from './types.ts';

/** Options of {@link compress}. */
export interface CompressOptions {
  readonly compression: Compression;
  /** 1 to 9 for gzip (6 unless given), 1 to 19 for zstd (3 unless given). */
  readonly level?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const chunkSize = 256 * 1024;

/**
 * Compresses a stream to one gzip member, on several threads, or to one zstd frame. Nothing of the time or the machine
 * is in it: one version of Node makes equal bytes of equal bytes. Closes the source when the reader stops early.
 * Throws RangeError for a level that the format does not have, what the source throws, and `signal.reason`.
 */
export async function* compress(
  source: AsyncIterable<Uint8Array>,
  { compression, level, signal }: CompressOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const input = abortable(source, signal);
  if (compression === 'none') {
    yield* input;
  } else if (compression === 'gzip') {
    yield* parallelGzip(input, { level: checkLevel(level ?? 6, 9) });
  } else {
    const engine = createZstdCompress({
      chunkSize,
      params: {
        [constants.ZSTD_c_compressionLevel]: checkLevel(level ?? 3, 19),
        [constants.ZSTD_c_checksumFlag]: 1,
      },
    });
    yield* pump(engine, { source: input });
  }
}

function checkLevel(level: number, maximum: number): number {
  if (Number.isInteger(level) && level >= 1 && level <= maximum) return level;
  throw new RangeError(`the compression level ${level} is not an integer from 1 to ${maximum}`);
}
