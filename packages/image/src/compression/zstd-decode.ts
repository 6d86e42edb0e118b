import { constants, createZstdDecompress, zstdDecompressSync } from 'node:zlib';
import { engineFailure } from './failure.ts';
import { DECOMPRESSED_CHUNK_SIZE, ZSTD_WINDOW_LOG_LIMIT } from './limits.ts';
import { pump } from './pump.ts';
import { createZstdWalker, requireContentSize } from './zstd-walker.ts';

const options = {
  params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_LIMIT },
} as const;

/** Frames up to this many compressed bytes are decoded at once: an engine per frame costs more than the decoding. */
const smallFrameBytes = 64 * 1024;

/** A small frame that becomes larger than this goes through the streaming engine, which holds back its output. */
const smallOutputBytes = 4 * 1024 * 1024;

/** Bytes of a frame, or its end. */
type FrameEvent = Uint8Array | FrameEnd;

interface FrameEnd {
  readonly contentSize: number | undefined;
}

/** Decodes all frames of a zstd stream, with the rules of `createZstdWalker`. */
export async function* decodeZstd(
  source: AsyncIterable<Uint8Array>,
  { chunkSize }: { readonly chunkSize: number },
): AsyncGenerator<Uint8Array, void, undefined> {
  const events = frameEvents(source);
  try {
    for (;;) {
      const { end, head } = await readHead(events);
      if (head.length === 0) return;
      const decoded = end === undefined ? undefined : decodeSmall(head);
      if (decoded !== undefined) {
        requireContentSize(end?.contentSize, decoded.length);
        if (decoded.length > 0) yield decoded;
        continue;
      }
      let said = end?.contentSize;
      const rest = restOfFrame(events, (contentSize) => {
        said = contentSize;
      });
      const source = concatenate(end === undefined ? [head, rest] : [head]);
      let made = 0;
      for await (const chunk of pump(createZstdDecompress({ ...options, chunkSize }), { source })) {
        made += chunk.length;
        yield chunk;
      }
      requireContentSize(said, made);
    }
  } catch (error) {
    throw engineFailure('zstd', error);
  } finally {
    await events.return();
  }
}

/** The whole frame when it is small, else its beginning. Empty at the end of the stream. */
async function readHead(
  events: AsyncGenerator<FrameEvent, void, undefined>,
): Promise<{ readonly end: FrameEnd | undefined; readonly head: Buffer }> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  while (bytes < smallFrameBytes) {
    const { value, done } = await events.next();
    if (done) return { end: { contentSize: undefined }, head: Buffer.concat(pieces) };
    if ('contentSize' in value) return { end: value, head: Buffer.concat(pieces) };
    pieces.push(value);
    bytes += value.length;
  }
  return { end: undefined, head: Buffer.concat(pieces) };
}

function decodeSmall(frame: Buffer): Buffer | undefined {
  try {
    return zstdDecompressSync(frame, {
      ...options,
      chunkSize: DECOMPRESSED_CHUNK_SIZE,
      maxOutputLength: smallOutputBytes,
    });
  } catch (error) {
    if (error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE')
      return undefined;
    throw error;
  }
}

async function* restOfFrame(
  events: AsyncGenerator<FrameEvent, void, undefined>,
  onEnd: (contentSize: number | undefined) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let event = await events.next(); !event.done; event = await events.next()) {
    if ('contentSize' in event.value) return onEnd(event.value.contentSize);
    yield event.value;
  }
}

async function* concatenate(
  parts: readonly (Uint8Array | AsyncIterable<Uint8Array>)[],
): AsyncGenerator<Uint8Array, void, undefined> {
  for (const part of parts) {
    if (part instanceof Uint8Array) yield part;
    else yield* part;
  }
}

async function* frameEvents(source: AsyncIterable<Uint8Array>): AsyncGenerator<FrameEvent, void, undefined> {
  const events: FrameEvent[] = [];
  const walker = createZstdWalker({
    data: (chunk) => events.push(chunk),
    end: (contentSize) => events.push({ contentSize }),
  });
  for await (const chunk of source) {
    walker.push(chunk);
    yield* events.splice(0);
  }
  walker.finish();
}
