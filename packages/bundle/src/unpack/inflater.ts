import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { type Compression, createSyncDecompressor, decompress } from '@ocijs/image/compression';
import { readSize } from '../limits.ts';

/** Takes compressed bytes, whose buffers it keeps; what they contain goes to the receiver it was made for. */
export interface Inflater {
  push(chunk: Uint8Array): void | Promise<void>;
  /** Throws ERR_OCI_COMPRESSION_INVALID when the compressed bytes are cut off. */
  finish(): void | Promise<void>;
}

/** A synchronous inflater where there is one for the compression, else one on a stream. */
export function createInflater(compression: Compression, onOutput: (chunk: Uint8Array) => void): Inflater {
  return createSyncDecompressor(compression, onOutput) ?? streamInflater(compression, onOutput);
}

function streamInflater(compression: Compression, onOutput: (chunk: Uint8Array) => void): Inflater {
  const input = new PassThrough({ highWaterMark: readSize });
  const running = (async () => {
    for await (const chunk of decompress(input, { compression })) onOutput(chunk);
  })();
  // A failure is reported by the push or finish that waits for it.
  const failed = running.catch(() => undefined);
  return {
    push: async (chunk) => {
      if (!input.write(chunk)) await Promise.race([once(input, 'drain'), failed]);
      if (input.destroyed) await running;
    },
    finish: async () => {
      input.end();
      await running;
    },
  };
}
