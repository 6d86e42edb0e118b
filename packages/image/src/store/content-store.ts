import type { Descriptor } from '../descriptor.ts';
import type { Digest } from '../digest/digest.ts';
import type { ReadBlobOptions } from '../source.ts';

/** A blob on its way into a store; bytes that are already there from an earlier run are kept. */
export interface Ingest extends AsyncDisposable {
  /** How many bytes of the blob are already in the ingest; continue from here. */
  readonly offset: number;
  /** Appends bytes. Throws ERR_OCI_SIZE_MISMATCH as soon as they are more than the descriptor says. */
  write(chunk: Uint8Array): Promise<void>;
  /** Forgets what was written, so that the blob is fetched from its beginning. */
  reset(): Promise<void>;
  /** Checks size, then digest, and makes the blob visible in one step. On a mismatch the partial bytes are dropped. */
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
  /** Reads a whole blob, verified, of at most `limit` bytes (default 4 MiB). */
  readAll(
    descriptor: Descriptor,
    options?: ReadBlobOptions & { readonly limit?: number },
  ): Promise<Uint8Array>;
  /** Opens the ingest of a blob; waits while another process ingests the same blob. */
  ingest(descriptor: Descriptor, options?: ReadBlobOptions): Promise<Ingest>;
  /** Stores bytes that are in memory and returns their descriptor. */
  put(bytes: Uint8Array, options: { readonly mediaType: string }): Promise<Descriptor>;
  /** The local file of a blob, when the store keeps one. */
  file?(digest: Digest): string;
}
