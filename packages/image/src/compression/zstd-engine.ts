import { createExpansionGuard, type ExpansionOptions } from './expansion.ts';
import { engineFailure, invalidCompression } from './failure.ts';
import type { EngineStep, OutputMemory } from './gzip-engine.ts';
import type { SyncDecompressor } from './sync-decompressor.ts';
import { createZstdWalker, requireContentSize } from './zstd-walker.ts';

/** An engine that decompresses one zstd frame after the other, such as `createZstdDecompressor` of `@ocijs/linux`. */
export interface ZstdEngine {
  /** Works until the input is used up, the output is full or the frame ends. Throws an Error for a damaged frame. */
  decompress(input: Uint8Array, output: Uint8Array): EngineStep;
}

/**
 * Decompresses a zstd stream synchronously into memory of the caller, with the rules of `createZstdWalker`: all frames,
 * without those to skip, zeros behind the last one. What small frames contain comes together.
 */
export function createEngineUnzstd(
  engine: ZstdEngine,
  { memory, ...expansion }: ExpansionOptions & { readonly memory: OutputMemory },
): SyncDecompressor {
  const guard = createExpansionGuard(expansion);
  const walker = createZstdWalker({ data: decompress, end: endFrame });
  let room: Uint8Array | undefined;
  let filled = 0;
  let isComplete = false;
  /** Bytes of the current frame. */
  let contentSize = 0;

  function decompress(input: Uint8Array): void {
    for (let rest = input; ; ) {
      room ??= memory.room();
      const free = room.subarray(filled);
      const { used, made, ended } = step(rest, free);
      guard.produced(made);
      filled += made;
      contentSize += made;
      rest = rest.subarray(used);
      isComplete = ended;
      const isFull = made === free.length;
      if (isFull) flush();
      const isStuck = used + made === 0;
      if (ended || isStuck || (rest.length === 0 && !isFull)) {
        if (rest.length > 0) throw invalidCompression('zstd', 'is damaged');
        return;
      }
    }
  }

  /** The walker counts the blocks of a frame, and so does the engine. */
  function endFrame(said: number | undefined): void {
    if (!isComplete) throw invalidCompression('zstd', 'is damaged');
    requireContentSize(said, contentSize);
    isComplete = false;
    contentSize = 0;
  }

  function step(input: Uint8Array, free: Uint8Array): EngineStep {
    try {
      return engine.decompress(input, free);
    } catch (error) {
      const failure = engineFailure('zstd', error);
      if (failure !== error || !(error instanceof Error)) throw failure;
      throw invalidCompression('zstd', `is damaged: ${error.message}`, { cause: error });
    }
  }

  function flush(): void {
    if (filled > 0) memory.filled(filled);
    filled = 0;
    room = undefined;
  }

  return {
    push(chunk) {
      guard.consumed(chunk.length);
      walker.push(chunk);
      flush();
    },
    finish: () => walker.finish(),
  };
}
