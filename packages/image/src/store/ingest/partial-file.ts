import { constants } from 'node:fs';
import { type FileHandle, lstat, open, rm } from 'node:fs/promises';
import type { Descriptor } from '../../descriptor.ts';
import { type Digest, digestAlgorithm } from '../../digest/digest.ts';
import type { ReadBlobOptions } from '../../source.ts';
import { errnoOf } from '../failure.ts';
import { handleChunks } from '../file-chunks.ts';
import { fileMode, inOwnDirectory, type LayoutFiles, partialPath } from '../layout-files.ts';
import { type FileDigest, inlineDigest, threadedDigest } from './file-digest.ts';

/** From which size on a blob is hashed by a thread. */
const THREAD_BYTES = 4 * 1024 * 1024;

/** The open file that collects a blob's bytes, with the digest of what is in it. */
export interface PartialFile extends AsyncDisposable {
  /** Bytes that are there. */
  readonly offset: number;
  /** Appends. After a failure, the bytes are those from before. */
  append(chunks: readonly Uint8Array[]): Promise<void>;
  /** Forgets all bytes. */
  clear(): Promise<void>;
  /** The digest of all bytes. */
  digest(): Promise<Digest>;
  /** Brings all bytes to the disk. */
  sync(): Promise<void>;
  /** Closes the file. Idempotent. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Opens what an earlier run left of a blob, or an empty file. The lock of the blob is held. */
export async function openPartialFile(
  files: LayoutFiles,
  { digest, size }: Descriptor,
  { signal }: ReadBlobOptions,
): Promise<PartialFile> {
  const handle = await inOwnDirectory(files, 'ingest', async () => {
    const path = partialPath(files, digest);
    await removeUnlessOurs(path);
    const flags = constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);
    return open(path, flags, fileMode(files));
  });
  const algorithm = digestAlgorithm(digest);
  const isLarge = size >= THREAD_BYTES;
  const startDigest = (): FileDigest =>
    isLarge ? threadedDigest({ algorithm, fd: handle.fd }) : inlineDigest({ algorithm });
  let state = startDigest();
  let offset = 0;
  const clear = async (): Promise<void> => {
    await state[Symbol.asyncDispose]();
    await handle.truncate(0);
    state = startDigest();
    offset = 0;
  };
  const close = async (): Promise<void> => {
    await state[Symbol.asyncDispose]();
    await handle.close();
  };
  try {
    const found = (await handle.stat()).size;
    if (found > size) await handle.truncate(0);
    else if (isLarge) {
      offset = found;
      if (found > 0) state.appended([], found);
    } else {
      for await (const chunk of handleChunks(handle, { signal })) {
        offset += chunk.length;
        state.appended([chunk], offset);
      }
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    get offset() {
      return offset;
    },
    async append(chunks) {
      const end = await writeFully(handle, chunks, offset);
      offset = end;
      state.appended(chunks, end);
    },
    clear,
    digest: () => state.finish(),
    async sync() {
      // A write that failed half-way may have left bytes behind the last good one.
      await handle.truncate(offset);
      await handle.datasync();
    },
    [Symbol.asyncDispose]: close,
  };
}

/** In a layout from elsewhere, the file could be a link to one outside that we would then write to. */
async function removeUnlessOurs(path: string): Promise<void> {
  try {
    const found = await lstat(path);
    if (!found.isFile() || found.nlink > 1) await rm(path, { recursive: true });
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

/** Writes all bytes and returns where they end. */
async function writeFully(
  handle: FileHandle,
  chunks: readonly Uint8Array[],
  position: number,
): Promise<number> {
  let rest = chunks;
  let at = position;
  while (rest.length > 0) {
    const { bytesWritten } = await handle.writev(rest, at);
    at += bytesWritten;
    rest = without(rest, bytesWritten);
  }
  return at;
}

/** What is left of the chunks after so many bytes of them. */
function without(chunks: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let skip = bytes;
  const rest: Uint8Array[] = [];
  for (const chunk of chunks) {
    if (skip < chunk.length) rest.push(skip === 0 ? chunk : chunk.subarray(skip));
    skip = Math.max(0, skip - chunk.length);
  }
  return rest;
}
