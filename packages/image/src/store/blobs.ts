import { stat } from 'node:fs/promises';
import type { Descriptor } from '../descriptor.ts';
import type { Digest } from '../digest/digest.ts';
import { verifiedStream } from '../digest/verify.ts';
import { ImageError } from '../errors.ts';
import { READ_ALL_LIMIT } from '../limits.ts';
import type { ReadBlobOptions } from '../source.ts';
import { errnoOf, storeFailure } from './failure.ts';
import { handleChunks, openRegularFile } from './file-chunks.ts';
import { blobPath, type LayoutFiles } from './layout-files.ts';

/** The size of a blob's file; undefined when there is none. */
export async function blobSize(files: LayoutFiles, digest: Digest): Promise<number | undefined> {
  try {
    const found = await stat(blobPath(files, digest));
    return found.isFile() ? found.size : undefined;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw storeFailure(error, files.directory);
  }
}

/** Streams a blob through the gate. Throws ERR_OCI_BLOB_NOT_FOUND. */
export async function* readBlob(
  files: LayoutFiles,
  descriptor: Descriptor,
  { signal }: ReadBlobOptions = {},
): AsyncGenerator<Uint8Array> {
  signal?.throwIfAborted();
  try {
    const handle = await openRegularFile(blobPath(files, descriptor.digest));
    try {
      const { digest, size } = descriptor;
      yield* verifiedStream(handleChunks(handle, { signal }), { digest, size, signal });
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') throw blobNotFound(descriptor.digest, files.directory);
    throw storeFailure(error, files.directory);
  }
}

/** The error for a blob that a store lacks. */
export function blobNotFound(digest: Digest, where: string): ImageError {
  return new ImageError('ERR_OCI_BLOB_NOT_FOUND', `blob ${digest} is not in ${where}`, {
    digest,
    path: where,
    hint: 'pull the image again',
  });
}

/** Options of {@link collect}. */
export interface CollectOptions extends ReadBlobOptions {
  /** Bytes; default 4 MiB. */
  readonly limit?: number;
}

/** Reads a verified stream to its end. Throws ERR_OCI_LIMIT_EXCEEDED before the first byte of a blob that is too large. */
export async function collect(
  descriptor: Descriptor,
  read: (descriptor: Descriptor, options: ReadBlobOptions) => AsyncIterable<Uint8Array>,
  { limit = READ_ALL_LIMIT, signal }: CollectOptions = {},
): Promise<Uint8Array> {
  signal?.throwIfAborted();
  const { digest, size } = descriptor;
  if (size > limit)
    throw new ImageError('ERR_OCI_LIMIT_EXCEEDED', `blob ${digest} has ${size} bytes, more than ${limit}`, {
      digest,
      limit,
      actual: size,
    });
  const chunks: Uint8Array[] = [];
  for await (const chunk of read(descriptor, { signal })) chunks.push(chunk);
  return Buffer.concat(chunks);
}
