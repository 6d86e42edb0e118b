import { mkdir, rename, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Descriptor } from '../../descriptor.ts';
import { digestAlgorithm } from '../../digest/digest.ts';
import { ImageError } from '../../errors.ts';
import type { ReadBlobOptions } from '../../source.ts';
import { blobSize } from '../blobs.ts';
import type { Ingest } from '../content-store.ts';
import { errnoOf, inStore } from '../failure.ts';
import {
  blobDirectory,
  blobLockName,
  blobPath,
  directoryMode,
  inOwnDirectory,
  type LayoutFiles,
  partialPath,
} from '../layout-files.ts';
import { acquireLock, type Lock } from '../lock/lock.ts';
import { openPartialFile, type PartialFile } from './partial-file.ts';

/**
 * Opens the ingest of a blob, as the only writer of it among all processes; waits while there is another.
 *
 * The bytes collect in `ingest/<algorithm>-<hex>`. The file's length is where a later run continues; what is there is
 * read again to bring the digest up to date, so nothing about the state of the hash needs to be kept. Nothing is
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
      const partial = await openPartialFile(files, descriptor, { signal });
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

  async write(bytes: Uint8Array | readonly Uint8Array[]): Promise<void> {
    this.#assertOpen();
    const chunks = bytes instanceof Uint8Array ? [bytes] : bytes;
    const { digest, size } = this.#descriptor;
    const end = chunks.reduce((sum, { length }) => sum + length, this.offset);
    if (end > size) throw sizeMismatch(digest, size, end);
    const partial = this.#partial;
    if (partial !== undefined) await inStore(this.#files.directory, () => partial.append(chunks));
  }

  async reset(): Promise<void> {
    this.#assertOpen();
    await inStore(this.#files.directory, async () => {
      this.#partial ??= await openPartialFile(this.#files, this.#descriptor, {});
      await this.#partial.clear();
    });
  }

  async commit(): Promise<void> {
    this.#assertOpen();
    const partial = this.#partial;
    if (partial === undefined) return;
    const { digest, size } = this.#descriptor;
    if (partial.offset !== size) throw sizeMismatch(digest, size, partial.offset);
    // The disk is busy while the rest is hashed. Bytes that turn out to be wrong were written for nothing, seldom.
    const synced = inStore(this.#files.directory, () => partial.sync());
    const [hashed, written] = await Promise.allSettled([
      inStore(this.#files.directory, () => partial.digest()),
      synced,
    ]);
    if (hashed.status === 'rejected') throw hashed.reason;
    if (hashed.value !== digest) {
      await this.reset();
      throw digestMismatch(digest, hashed.value);
    }
    if (written.status === 'rejected') throw written.reason;
    await inStore(this.#files.directory, () => this.#publish());
    await this[Symbol.asyncDispose]();
  }

  async #publish(): Promise<void> {
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
        await this.#partial?.[Symbol.asyncDispose]();
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
