import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { ImageError } from '../errors.ts';

const CHUNK_BYTES = 256 * 1024;
/** Read behind the end, to see that it is the end. */
const PROBE_BYTES = 64;

/** Opens a regular file for reading; anything else is refused with ERR_OCI_STORE_INVALID, and without waiting on it. */
export async function openRegularFile(path: string): Promise<FileHandle> {
  // A fifo in a layout from elsewhere must not make us wait for its writer.
  const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    if ((await handle.stat()).isFile()) return handle;
    throw new ImageError('ERR_OCI_STORE_INVALID', `${path} is not a regular file`, { path });
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Streams an open file from its beginning, in chunks that the reader may keep. Does not close it. */
export async function* handleChunks(
  handle: FileHandle,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): AsyncGenerator<Uint8Array> {
  // Most blobs are manifests and configs: buffers as large as for layers would keep the garbage collector busy.
  const { size } = await handle.stat();
  for (let position = 0; ; ) {
    signal?.throwIfAborted();
    const length = Math.min(Math.max(size - position, PROBE_BYTES), CHUNK_BYTES);
    const chunk = Buffer.allocUnsafeSlow(length);
    const { bytesRead } = await handle.read(chunk, 0, length, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
}

/** Reads a small regular file. Throws ERR_OCI_LIMIT_EXCEEDED when it has more than `limit` bytes. */
export async function readSmallFile(path: string, limit: number): Promise<Uint8Array> {
  const handle = await openRegularFile(path);
  try {
    const chunks: Uint8Array[] = [];
    let total = 0;
    for await (const chunk of handleChunks(handle)) {
      total += chunk.length;
      if (total > limit)
        throw new ImageError('ERR_OCI_LIMIT_EXCEEDED', `${path} has more than ${limit} bytes`, {
          path,
          limit,
        });
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } finally {
    await handle.close();
  }
}
