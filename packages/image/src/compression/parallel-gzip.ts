import { availableParallelism } from 'node:os';
import { constants, crc32, deflateRaw } from 'node:zlib';

/** Options of {@link parallelGzip}. */
export interface ParallelGzipOptions {
  /** 1 to 9. */
  readonly level: number;
  /** How many blocks are compressed at once; the bytes do not depend on it. Default: one for each core, and one ahead. */
  readonly concurrency?: number | undefined;
}

/** Bytes that are compressed as one piece of work. Larger blocks gain little, and take memory. */
const blockBytes = 256 * 1024;

/** How far deflate looks back: the end of a block is the dictionary of the next one (RFC 1951, 2). */
const windowBytes = 32 * 1024;

/** Room for a block that cannot be compressed, so that each one takes a single turn of the thread pool. */
const outputBytes: number = blockBytes + 1024;

/**
 * Compresses a stream to one gzip member, on the threads of libuv's pool while this thread reads and sums up. The input
 * is cut into blocks; each is deflated with the end of the one before as its dictionary, and ends on a byte
 * (Z_SYNC_FLUSH), so that the pieces put together are one deflate stream, as `pigz` makes it. The header names
 * neither time nor system. Equal bytes give equal bytes, however many threads there are.
 */
export async function* parallelGzip(
  source: AsyncIterable<Uint8Array>,
  { level, concurrency = availableParallelism() + 1 }: ParallelGzipOptions,
): AsyncGenerator<Buffer, void, undefined> {
  let header: Buffer | undefined = gzipHeader();
  /** Blocks that are free again: what is allocated outside of the heap makes the garbage collector run. */
  const free: Buffer[] = [];
  const pending: Promise<Buffer>[] = [];
  let sum = 0;
  let size = 0;
  let dictionary: Buffer | undefined;
  try {
    for await (const { block, isLast } of blocksOf(source, () => free.pop())) {
      const deflated = deflateBlock(block, { level, isLast, dictionary });
      // Whoever waits for it gets the error; until then nobody does.
      deflated.then(
        () => free.push(block),
        () => undefined,
      );
      pending.push(deflated);
      if (header !== undefined) {
        // Not before the source was opened: a reader that stops then closes it too.
        yield header;
        header = undefined;
      }
      sum = crc32(block, sum);
      size += block.length;
      if (!isLast) dictionary = Buffer.from(block.subarray(-windowBytes));
      while (pending.length > concurrency) yield await first(pending);
    }
    while (pending.length > 0) yield await first(pending);
  } finally {
    await Promise.allSettled(pending);
  }
  yield gzipTrailer(sum, size);
}

/** A gzip header without time, name and system (RFC 1952, 2.3). */
export function gzipHeader(): Buffer {
  return Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
}

/** What ends a gzip member: the sum, and the size modulo 2^32. */
export function gzipTrailer(sum: number, size: number): Buffer {
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(sum, 0);
  trailer.writeUInt32LE(size % 2 ** 32, 4);
  return trailer;
}

function first(pending: Promise<Buffer>[]): Promise<Buffer> {
  return pending.shift() ?? Promise.resolve(Buffer.of());
}

interface Block {
  readonly block: Buffer;
  readonly isLast: boolean;
}

/** Full blocks, and the rest; there is always a last one. */
async function* blocksOf(
  source: AsyncIterable<Uint8Array>,
  reuse: () => Buffer | undefined,
): AsyncGenerator<Block, void, undefined> {
  let block: Buffer = Buffer.allocUnsafeSlow(blockBytes);
  let filled = 0;
  for await (const chunk of source) {
    for (let start = 0; start < chunk.length; ) {
      if (filled === blockBytes) {
        yield { block, isLast: false };
        block = reuse() ?? Buffer.allocUnsafeSlow(blockBytes);
        filled = 0;
      }
      const part = chunk.subarray(start, start + blockBytes - filled);
      block.set(part, filled);
      filled += part.length;
      start += part.length;
    }
  }
  yield { block: block.subarray(0, filled), isLast: true };
}

function deflateBlock(
  block: Buffer,
  {
    level,
    isLast,
    dictionary,
  }: { readonly level: number; readonly isLast: boolean; readonly dictionary: Buffer | undefined },
): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const options = {
    level,
    chunkSize: outputBytes,
    finishFlush: isLast ? constants.Z_FINISH : constants.Z_SYNC_FLUSH,
    ...(dictionary === undefined ? {} : { dictionary }),
  };
  deflateRaw(block, options, (error, result) => (error === null ? resolve(result) : reject(error)));
  return promise;
}
