import type { Descriptor } from '../descriptor.ts';
import type { Digest } from '../digest/digest.ts';
import type { ReadBlobOptions } from '../source.ts';

/**
 * A blob on its way into a store; bytes that are already there from an earlier run are kept. Call one method at a time.
 */
export interface Ingest extends AsyncDisposable {
  /**
   * How many bytes of the blob are already in the ingest; continue from here. All of them when the blob is in the
   * store already: then only the commit is left.
   */
  readonly offset: number;
  /**
   * Appends bytes, in one piece or several, which may be reused afterwards. Throws ERR_OCI_SIZE_MISMATCH when they would be more than the descriptor says: what was written
   * before stays. A store on disk throws ERR_OCI_STORE_FULL or ERR_OCI_STORE_DENIED.
   */
  write(bytes: Uint8Array | readonly Uint8Array[]): Promise<void>;
  /** Forgets what was written, so that the blob is fetched from its beginning; also when the blob is in the store. */
  reset(): Promise<void>;
  /**
   * Makes the blob visible in one step, and ends the ingest. Throws ERR_OCI_SIZE_MISMATCH when bytes are missing:
   * those that are there stay. Throws ERR_OCI_DIGEST_MISMATCH when they are wrong: then they are dropped, and the
   * ingest goes on from 0.
   */
  commit(): Promise<void>;
  /** Releases the ingest; without a commit before, the partial bytes stay for a later run. Idempotent. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Bytes by digest. */
export interface ContentStore {
  /** The blob's size in bytes, or undefined when the store has no such blob. */
  size(digest: Digest): Promise<number | undefined>;
  /** Streams a blob, verified. Throws ERR_OCI_BLOB_NOT_FOUND. */
  read(descriptor: Descriptor, options?: ReadBlobOptions): AsyncIterable<Uint8Array>;
  /** Reads a whole blob, verified, of at most `limit` bytes (default 4 MiB; else ERR_OCI_LIMIT_EXCEEDED). */
  readAll(
    descriptor: Descriptor,
    options?: ReadBlobOptions & { readonly limit?: number },
  ): Promise<Uint8Array>;
  /**
   * Opens the ingest of a blob; waits while another process ingests the same blob.
   * Throws ERR_OCI_DIGEST_UNSUPPORTED for a digest that cannot be verified.
   */
  ingest(descriptor: Descriptor, options?: ReadBlobOptions): Promise<Ingest>;
  /** Stores bytes that are in memory and returns their descriptor. */
  put(bytes: Uint8Array, options: { readonly mediaType: string }): Promise<Descriptor>;
  /** The local file of a blob, when the store keeps one. */
  file?(digest: Digest): string;
}
