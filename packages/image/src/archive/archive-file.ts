import type { FileHandle } from 'node:fs/promises';
import { decompress } from '../compression/decompress.ts';
import { detectCompression, MAGIC_BYTES } from '../compression/detect.ts';
import { ImageError, isOciError } from '../errors.ts';
import { handleChunks } from '../store/file-chunks.ts';
import { type Spool, spool } from '../transport/spool.ts';
import { archiveFailure } from './failure.ts';
import { openForReading, type RandomAccessFile, randomAccess } from './random-access.ts';

/** Where an archive comes from: a file, or a stream such as standard input. */
export type ArchiveInput = string | AsyncIterable<Uint8Array>;

/** Options of {@link openArchiveFile}. */
export interface ArchiveFileOptions {
  /** What a stream is called in messages. */
  readonly location?: string | undefined;
  /** Bytes of the archive that may be written to a temporary file; default 64 GiB. */
  readonly spoolLimit?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens the bytes of an archive at any place: an uncompressed file as it is, anything else (a pipe, gzip, zstd) by way
 * of a temporary file. Throws ERR_OCI_ARCHIVE_FAILED, ERR_OCI_COMPRESSION_UNSUPPORTED for xz and bzip2,
 * ERR_OCI_LIMIT_EXCEEDED.
 */
export async function openArchiveFile(
  input: ArchiveInput,
  {
    location = typeof input === 'string' ? input : 'the archive',
    spoolLimit: limit,
    signal,
  }: ArchiveFileOptions,
): Promise<RandomAccessFile> {
  signal?.throwIfAborted();
  const expand = (source: AsyncIterable<Uint8Array>): Promise<Spool> =>
    inArchive(location, () => spool(decompress(source, { signal }), { what: location, limit, signal }));
  if (typeof input !== 'string') return expand(input);
  const handle = await openForReading(input);
  let kept = false;
  try {
    if (!(await handle.stat()).isFile()) return await expand(pipeChunks(handle, location));
    const file = await randomAccess(handle, location);
    const head = await file.read(0, MAGIC_BYTES);
    if ((await inArchive(location, async () => detectCompression(head))) !== 'none')
      return await expand(handleChunks(handle, { signal }));
    kept = true;
    return file;
  } finally {
    if (!kept) await handle.close();
  }
}

/** A pipe has no positions. */
async function* pipeChunks(handle: FileHandle, location: string): AsyncGenerator<Uint8Array> {
  try {
    for (;;) {
      const { bytesRead, buffer } = await handle.read({
        buffer: Buffer.allocUnsafeSlow(256 * 1024),
        position: null,
      });
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } catch (error) {
    throw archiveFailure(error, location);
  }
}

/** The words of a layer's compression, said of an archive. */
async function inArchive<T>(location: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isOciError(error, 'ERR_OCI_COMPRESSION_UNSUPPORTED')) throw error;
    const { actual = '' } = error.facts;
    throw new ImageError(
      'ERR_OCI_COMPRESSION_UNSUPPORTED',
      `${location} is compressed with ${actual}, which is not read`,
      {
        path: location,
        actual,
        hint: `decompress it before: \`${actual} -dc FILE | oci load\``,
      },
    );
  }
}
