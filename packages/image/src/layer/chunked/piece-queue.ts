import { availableParallelism } from 'node:os';
import type { PieceCodec } from './codecs.ts';

/** Pieces that are compressed ahead of the one that is written next; the bytes do not depend on it. */
const ahead: number = 4 * availableParallelism();

interface Piece {
  readonly packed: Promise<Buffer>;
  readonly onPlaced: ((place: { readonly offset: number; readonly end: number }) => void) | undefined;
}

/** Compresses pieces on the threads of libuv's pool and gives them back in their order. */
export interface PieceQueue {
  /** Where the next piece that is taken begins in the blob. */
  readonly offset: number;
  /** Adds a piece; `onPlaced` is told where it lies, once it is taken. */
  add(bytes: Uint8Array, onPlaced?: Piece['onPlaced']): void;
  /** The pieces that are due: all but so many as may wait, or with `all` all of them. */
  take(options?: { readonly all: boolean }): AsyncGenerator<Buffer, void, undefined>;
  /** Waits for what is still being compressed. */
  settle(): Promise<void>;
}

/** Starts an empty queue. */
export function createPieceQueue(codec: PieceCodec): PieceQueue {
  const waiting: Piece[] = [];
  let offset = 0;
  return {
    get offset() {
      return offset;
    },
    add(bytes, onPlaced) {
      const packed = codec(bytes);
      packed.catch(() => undefined);
      waiting.push({ packed, onPlaced });
    },
    async *take({ all } = { all: false }) {
      while (waiting.length > (all ? 0 : ahead)) {
        const piece = waiting.shift();
        if (piece === undefined) return;
        const bytes = await piece.packed;
        piece.onPlaced?.({ offset, end: offset + bytes.length });
        offset += bytes.length;
        yield bytes;
      }
    },
    async settle() {
      await Promise.allSettled(waiting.map(({ packed }) => packed));
    },
  };
}
