/** Joins small pieces to chunks worth passing on. */
export interface OutputBuffer {
  write(piece: Uint8Array): void;
  /** Passes on what is left. */
  flush(): void;
}

const chunkBytes = 256 * 1024;

/** Creates a buffer that passes on chunks of at most 256 KiB, none of which it touches again. */
export function createOutputBuffer(onOutput: (chunk: Buffer) => void): OutputBuffer {
  let chunk: Buffer = Buffer.alloc(0);
  let start = 0;
  let end = 0;

  function flush(): void {
    if (end === start) return;
    const full = chunk.subarray(start, end);
    start = end;
    onOutput(full);
  }

  function write(piece: Uint8Array): void {
    for (let position = 0; position < piece.length; ) {
      if (end === chunk.length) {
        flush();
        chunk = Buffer.allocUnsafeSlow(chunkBytes);
        start = end = 0;
      }
      const part = piece.subarray(position, position + chunk.length - end);
      chunk.set(part, end);
      end += part.length;
      position += part.length;
    }
  }

  return { write, flush };
}
