import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onArchive } from '../archive/failure.ts';
import { type RandomAccessFile, randomAccess } from '../archive/random-access.ts';
import type { Digest } from '../digest/digest.ts';
import { createHasher } from '../digest/hasher.ts';
import { ImageError } from '../errors.ts';
import { SPOOL_LIMIT } from '../limits.ts';

/** Options of {@link spool}. */
export interface SpoolOptions {
  /** What is spooled; for messages. */
  readonly what: string;
  /** Bytes; default 64 GiB. */
  readonly limit?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A stream that was written to a temporary file without a name; the space is free again when it is disposed of. */
export interface Spool extends RandomAccessFile {
  readonly digest: Digest;
}

/**
 * Writes a stream to a temporary file, so that it can be read at any place and more than once. The file has no
 * name as soon as it is open, so that nothing stays when the process is killed. Throws ERR_OCI_LIMIT_EXCEEDED.
 */
export async function spool(
  source: AsyncIterable<Uint8Array>,
  { what, limit = SPOOL_LIMIT, signal }: SpoolOptions,
): Promise<Spool> {
  signal?.throwIfAborted();
  const handle = await onArchive(what, openNameless);
  try {
    const hasher = createHasher('sha256');
    let size = 0;
    for await (const chunk of source) {
      signal?.throwIfAborted();
      if (size + chunk.length > limit)
        throw new ImageError('ERR_OCI_LIMIT_EXCEEDED', `${what} has more than ${limit} bytes`, { limit });
      hasher.update(chunk);
      await onArchive(what, () => writeAll(handle, chunk, size));
      size += chunk.length;
    }
    return { ...(await randomAccess(handle, what)), digest: hasher.digest() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function openNameless(): Promise<FileHandle> {
  const directory = await mkdtemp(join(tmpdir(), 'ocijs-spool-'));
  try {
    return await open(join(directory, 'bytes'), 'wx+', 0o600);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Writes all of the bytes at a position. */
export async function writeAll(handle: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    const { bytesWritten } = await handle.write(chunk, done, chunk.length - done, position + done);
    done += bytesWritten;
  }
}
