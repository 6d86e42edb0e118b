import type { Digest, DigestAlgorithm } from '../../digest/digest.ts';
import { createHasher } from '../../digest/hasher.ts';
import { borrowHashThread } from './hash-threads.ts';

/** The digest of a file that grows at its end. */
export interface FileDigest extends AsyncDisposable {
  /** Says that bytes were written, and where the file ends now. The chunks may be reused afterwards. */
  appended(chunks: readonly Uint8Array[], end: number): void;
  /** The digest of everything that was appended. Throws what the file system said when the file cannot be read. */
  finish(): Promise<Digest>;
  /** Resolves when the file is not read any more. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What is hashed. */
export interface FileDigestOptions {
  readonly algorithm: DigestAlgorithm;
  /** Of the open file; must stay open until the digest is disposed. */
  readonly fd: number;
}

/** Hashes what is appended on the spot: for blobs that are done sooner than a thread starts. */
export function inlineDigest({ algorithm }: Pick<FileDigestOptions, 'algorithm'>): FileDigest {
  const hasher = createHasher(algorithm);
  return {
    appended(chunks) {
      for (const chunk of chunks) hasher.update(chunk);
    },
    finish: async () => hasher.copy().digest(),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** Bytes between two looks at what else a thread has to hash. */
const STEP_BYTES = 8 * 1024 * 1024;

let lastId = 0;

/**
 * Hashes the file in another thread, which reads behind the writer: hashing is what takes longest when a blob arrives.
 * What lies in the file from an earlier run is hashed in the same way, while the rest is fetched. Reading costs a
 * tenth of hashing, since the bytes are still in memory, and what is hashed is what was stored.
 */
export function threadedDigest({ algorithm, fd }: FileDigestOptions): FileDigest {
  const thread = borrowHashThread();
  const id = ++lastId;
  let written = 0;
  let hashed = 0;
  let disposed = false;
  let failure: { readonly error: unknown } | undefined;
  let running: Promise<void> | undefined;

  const run = async (): Promise<void> => {
    try {
      while (hashed < written && !disposed) {
        const end = Math.min(written, hashed + STEP_BYTES);
        const hasCompany = thread.isShared;
        await thread.ask({ type: 'read', id, algorithm, fd, start: hashed, end, hasCompany });
        hashed = end;
      }
    } catch (error) {
      failure = { error };
    } finally {
      running = undefined;
    }
  };

  return {
    appended(_chunks, end) {
      written = end;
      if (failure === undefined && !disposed) running ??= run();
    },
    async finish() {
      await running;
      if (failure !== undefined) throw failure.error;
      const reply = await thread.ask({ type: 'digest', id, algorithm });
      if (reply.type !== 'digest') throw new Error('a hashing thread gave the wrong answer');
      return reply.digest;
    },
    async [Symbol.asyncDispose]() {
      if (disposed) return;
      disposed = true;
      await running;
      thread.release(id);
    },
  };
}
