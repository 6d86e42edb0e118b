import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Descriptor } from '@ocijs/image';
import { createVerifier } from '@ocijs/image/digest';

const CHUNK_BYTES = 64 * 1024;

/**
 * Buffers that are read into in turn. A chunk is on its way to the kernel while the next one is asked for: one waits in
 * the stream, one or two in the socket, which takes no more than 64 KiB before it asks for a pause. If more ever did, the
 * registry would find another digest and refuse the upload.
 */
const RING = 16;

/**
 * Streams a blob from its file for an upload, through the gate. The chunks are only good until some more were read: with
 * new memory for each, V8 lets 64 MB of it wait for the collection. Throws ERR_OCI_DIGEST_MISMATCH, ERR_OCI_SIZE_MISMATCH.
 */
export async function* uploadFileChunks(
  path: string,
  { descriptor, signal }: { readonly descriptor: Descriptor; readonly signal?: AbortSignal | undefined },
): AsyncGenerator<Uint8Array> {
  signal?.throwIfAborted();
  const verifier = createVerifier(descriptor);
  const ring = Buffer.allocUnsafeSlow(CHUNK_BYTES * RING);
  const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    for (let turn = 0; ; turn = (turn + 1) % RING) {
      signal?.throwIfAborted();
      const start = turn * CHUNK_BYTES;
      const { bytesRead } = await handle.read(ring, start, CHUNK_BYTES, verifier.received);
      if (bytesRead === 0) break;
      const chunk = ring.subarray(start, start + bytesRead);
      verifier.update(chunk);
      yield chunk;
    }
    verifier.finish();
  } finally {
    await handle.close();
  }
}
