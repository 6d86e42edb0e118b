import type { Ingest } from '@ocijs/image';

/** How much waits for the disk before the network has to wait. */
const MOST_WAITING = 262_144;

/** Writes what arrives, while more arrives. */
export interface DownloadWriter {
  /** Bytes of the blob that are written, or about to be. */
  readonly position: number;
  /** Takes a chunk, and waits when too much waits already. Throws what the store says of the bytes so far. */
  write(chunk: Uint8Array): Promise<void>;
  /** Waits until all is written. */
  flush(): Promise<void>;
}

/** What happens to chunks. */
export interface DownloadWriterOptions {
  /** Gives back the memory of a chunk that was written. */
  readonly recycle: (chunk: Uint8Array) => void;
  /** Called with the bytes that are written. */
  readonly onWritten: (position: number) => void;
}

/** Collects chunks during a write, and writes them in one step after it. */
export function createDownloadWriter(
  ingest: Ingest,
  { recycle, onWritten }: DownloadWriterOptions,
): DownloadWriter {
  let batch: Uint8Array[] = [];
  let position = ingest.offset;
  let waiting = 0;
  let failure: { readonly error: unknown } | undefined;
  let running: Promise<void> | undefined;

  const run = async (): Promise<void> => {
    try {
      while (batch.length > 0) {
        const chunks = batch;
        batch = [];
        waiting = 0;
        await ingest.write(chunks);
        for (const chunk of chunks) recycle(chunk);
        onWritten(ingest.offset);
      }
    } catch (error) {
      failure = { error };
    } finally {
      running = undefined;
    }
  };
  const settle = async (): Promise<void> => {
    await running;
    if (failure !== undefined) throw failure.error;
  };

  return {
    get position() {
      return position;
    },
    async write(chunk) {
      if (failure !== undefined) throw failure.error;
      batch.push(chunk);
      position += chunk.length;
      waiting += chunk.length;
      running ??= run();
      if (waiting >= MOST_WAITING) await settle();
    },
    flush: settle,
  };
}
