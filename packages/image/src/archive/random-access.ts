import { type FileHandle, open } from 'node:fs/promises';
import { ImageError } from '../errors.ts';
import type { ReadBlobOptions } from '../source.ts';
import { archiveFailure, onArchive } from './failure.ts';

const CHUNK_BYTES = 256 * 1024;

/** A file that is read at any place, also by several readers at once. */
export interface RandomAccessFile extends AsyncDisposable {
  /** For messages. */
  readonly location: string;
  /** In bytes, when it was opened. */
  readonly size: number;
  /** At most `length` bytes from `offset`; fewer only at the end of the file. */
  read(offset: number, length: number): Promise<Buffer>;
  /** Streams a part of the file, in chunks that the reader may keep. */
  chunks(part: FilePart, options?: ReadBlobOptions): AsyncIterable<Uint8Array>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A run of bytes in a file. */
export interface FilePart {
  readonly offset: number;
  /** In bytes. */
  readonly length: number;
}

/** A file that is no directory, opened for reading; whether it is seekable is not known yet. */
export async function openForReading(path: string): Promise<FileHandle> {
  return onArchive(path, async () => {
    const handle = await open(path, 'r');
    try {
      if (!(await handle.stat()).isDirectory()) return handle;
      throw new ImageError('ERR_OCI_ARCHIVE_INVALID', `${path} is a directory, not an archive`, {
        path,
        hint: 'an image layout in a directory is oci:DIR, and what skopeo writes is dir:DIR',
      });
    } catch (error) {
      await handle.close();
      throw error;
    }
  });
}

/** Reads an open file; closes it with itself. */
export async function randomAccess(handle: FileHandle, location: string): Promise<RandomAccessFile> {
  const { size } = await handle.stat();
  const read = async (offset: number, length: number): Promise<Buffer> => {
    const buffer = Buffer.allocUnsafeSlow(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await handle.read(buffer, done, length - done, offset + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return buffer.subarray(0, done);
  };
  return {
    location,
    size,
    read: (offset, length) => onArchive(location, () => read(offset, length)),
    async *chunks({ offset, length }, { signal } = {}) {
      try {
        for (let done = 0; done < length; ) {
          signal?.throwIfAborted();
          const chunk = await read(offset + done, Math.min(CHUNK_BYTES, length - done));
          if (chunk.length === 0) return;
          done += chunk.length;
          yield chunk;
        }
      } catch (error) {
        throw archiveFailure(error, location);
      }
    },
    [Symbol.asyncDispose]: () => handle.close(),
  };
}
