import { open } from 'node:fs/promises';

/** Reads a file or pipe to its end. Throws an Error above `limit` bytes, and what Node throws. */
export async function readSmallFile(
  path: string,
  {
    limit,
    flags = 'r',
    signal,
  }: {
    readonly limit: number;
    readonly flags?: string | number;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<Uint8Array> {
  await using file = await open(path, flags);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    signal?.throwIfAborted();
    const { bytesRead, buffer } = await file.read(Buffer.alloc(chunkSize));
    if (bytesRead === 0) return Buffer.concat(chunks, length);
    length += bytesRead;
    if (length > limit) throw new Error(`larger than ${limit} bytes`);
    chunks.push(buffer.subarray(0, bytesRead));
  }
}

const chunkSize = 65_536;
