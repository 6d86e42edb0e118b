import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, rename, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Descriptor } from '../descriptor.ts';
import { digestAlgorithm } from '../digest/digest.ts';
import { createHasher, type Hasher } from '../digest/hasher.ts';
import { ImageError } from '../errors.ts';
import type { ReadBlobOptions } from '../source.ts';
import { blobSize } from './blobs.ts';
import type { Ingest } from './content-store.ts';
import { errnoOf, inStore } from './failure.ts';
import { handleChunks } from './file-chunks.ts';
import {
  blobDirectory,
  blobLockName,
  blobPath,
  directoryMode,
  fileMode,
  inOwnDirectory,
  type LayoutFiles,
  partialPath,
} from './layout-files.ts';
import { acquireLock, type Lock } from './lock/lock.ts';

/**
 * Opens the ingest of a blob, as the only writer of it among all processes; waits while there is another.
 *
 * The bytes collect in `ingest/<algorithm>-<hex>`. The file's length is where a later run continues; it reads what
 * is there to bring the digest up to date, so nothing about the state of the hash needs to be kept. Nothing is
 * synced while bytes come: what a power cut damages, the digest finds. On commit the file is synced once, before the
 * rename that makes it a blob.
 */
export async function openIngest(
  files: LayoutFiles,
  descriptor: Descriptor,
  { signal }: ReadBlobOptions = {},
): Promise<Ingest> {
  signal?.throwIfAborted();
  digestAlgorithm(descriptor.digest);
  return inStore(files.directory, async () => {
    const lock = await inOwnDirectory(files, 'locks', (locks) =>
      acquireLock(join(locks, blobLockName(descriptor.digest)), {
        what: `blob ${descriptor.digest}`,
        signal,
      }),
    );
    try {
      if ((await blobSize(files, descriptor.digest)) === descriptor.size) {
        await renewBlob(files, descriptor);
        return new LayoutIngest(files, descriptor, { lock, partial: undefined });
      }
      const partial = await openPartial(files, descriptor, { signal });
      return new LayoutIngest(files, descriptor, { lock, partial });
    } catch (error) {
      await lock[Symbol.asyncDispose]();
      throw error;
    }
  });
}

/**
 * Makes a blob count as new: whoever ingests it is going to name it, and a collector spares what is young. The lock of
 * the blob is held, which a collector takes before it removes one.
 */
async function renewBlob(files: LayoutFiles, { digest }: Descriptor): Promise<void> {
  const now = new Date();
  try {
    await utimes(blobPath(files, digest), now, now);
  } catch (error) {
    // Only the owner of a file may say how old it is. In a store that users share, leases protect, and names.
    if (errnoOf(error) !== 'EPERM') throw error;
  }
}

/** The open file of an ingest. */
interface PartialFile {
  readonly handle: FileHandle;
  hasher: Hasher;
  offset: number;
}

async function openPartial(
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
  try {
    if ((await handle.stat()).size > size) await handle.truncate(0);
    const partial = { handle, hasher: createHasher(digestAlgorithm(digest)), offset: 0 };
    for await (const chunk of handleChunks(handle, { signal })) {
      partial.hasher.update(chunk);
      partial.offset += chunk.length;
    }
    return partial;
  } catch (error) {
    await handle.close();
    throw error;
  }
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

/** What an ingest starts with. */
interface IngestState {
  readonly lock: Lock;
  /** Undefined when the blob was already there. */
  readonly partial: PartialFile | undefined;
}

class LayoutIngest implements Ingest {
  readonly #files: LayoutFiles;
  readonly #descriptor: Descriptor;
  readonly #lock: Lock;
  #partial: PartialFile | undefined;
  #ended = false;

  constructor(files: LayoutFiles, descriptor: Descriptor, { lock, partial }: IngestState) {
    this.#files = files;
    this.#descriptor = descriptor;
    this.#lock = lock;
    this.#partial = partial;
  }

  get offset(): number {
    return this.#partial?.offset ?? this.#descriptor.size;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#assertOpen();
    const { digest, size } = this.#descriptor;
    if (this.offset + chunk.length > size) throw sizeMismatch(digest, size, this.offset + chunk.length);
    const partial = this.#partial;
    if (partial === undefined) return;
    // Hashed while the kernel writes, on a copy: a write that fails leaves the state of the bytes before.
    const hasher = partial.hasher.copy();
    const written = inStore(this.#files.directory, () => writeFully(partial.handle, chunk, partial.offset));
    hasher.update(chunk);
    await written;
    partial.hasher = hasher;
    partial.offset += chunk.length;
  }

  async reset(): Promise<void> {
    this.#assertOpen();
    await inStore(this.#files.directory, async () => {
      this.#partial ??= await openPartial(this.#files, this.#descriptor, {});
      await this.#partial.handle.truncate(0);
      this.#partial.hasher = createHasher(digestAlgorithm(this.#descriptor.digest));
      this.#partial.offset = 0;
    });
  }

  async commit(): Promise<void> {
    this.#assertOpen();
    const partial = this.#partial;
    if (partial === undefined) return;
    const { digest, size } = this.#descriptor;
    if (partial.offset !== size) throw sizeMismatch(digest, size, partial.offset);
    const actual = partial.hasher.copy().digest();
    if (actual !== digest) {
      await this.reset();
      throw digestMismatch(digest, actual);
    }
    await inStore(this.#files.directory, () => this.#publish(partial));
    await this[Symbol.asyncDispose]();
  }

  async #publish({ handle, offset }: PartialFile): Promise<void> {
    // A write that failed half-way may have left bytes behind the last good one.
    await handle.truncate(offset);
    await handle.datasync();
    await mkdir(blobDirectory(this.#files, this.#descriptor.digest), {
      recursive: true,
      mode: directoryMode(this.#files),
    });
    await this.#lock.assertHeld();
    const { digest } = this.#descriptor;
    await rename(partialPath(this.#files, digest), blobPath(this.#files, digest));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await inStore(this.#files.directory, async () => {
      try {
        await this.#partial?.handle.close();
        // Nothing to resume from: leave no trace.
        if (this.#partial?.offset === 0)
          await rm(partialPath(this.#files, this.#descriptor.digest), { force: true });
      } finally {
        await this.#lock[Symbol.asyncDispose]();
      }
    });
  }

  #assertOpen(): void {
    if (this.#ended) throw new TypeError(`the ingest of ${this.#descriptor.digest} has ended`);
  }
}

async function writeFully(handle: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    const { bytesWritten } = await handle.write(chunk, done, chunk.length - done, position + done);
    done += bytesWritten;
  }
}

function sizeMismatch(digest: string, expected: number, actual: number): ImageError {
  const state = actual > expected ? 'more than' : 'less than';
  return new ImageError('ERR_OCI_SIZE_MISMATCH', `blob ${digest} has ${state} ${expected} bytes`, {
    digest,
    expected,
    actual,
  });
}

function digestMismatch(expected: string, actual: string): ImageError {
  return new ImageError('ERR_OCI_DIGEST_MISMATCH', `blob ${expected} has other content: ${actual}`, {
    digest: expected,
    expected,
    actual,
    hint: 'the bytes were dropped; fetch the blob again',
  });
}
