import type { FilePart } from './archive/random-access.ts';
import type { Descriptor } from './descriptor.ts';
import type { Digest } from './digest/digest.ts';
import type { ImageConfig, Manifest } from './manifest/types.ts';
import type { Platform } from './platform.ts';

/** Options of every read of a blob. */
export interface ReadBlobOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * One image of one platform, wherever it is: in the store, a layout, an archive or a registry.
 * Manifest and config were verified against their digests before they were parsed.
 */
export interface ImageSource {
  /** What a person calls it; for messages. */
  readonly name: string;
  /** Describes the manifest. */
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly rawManifest: Uint8Array;
  readonly config: ImageConfig;
  readonly rawConfig: Uint8Array;
  readonly platform: Platform;
  /** The bytes of a blob; verified, so that the stream fails before a clean end when they are wrong. */
  openBlob(descriptor: Descriptor, options?: ReadBlobOptions): AsyncIterable<Uint8Array>;
  /**
   * A local file with the blob's bytes, when there is one: lets a worker thread read it synchronously.
   * The bytes are not verified: whoever reads the file does.
   */
  blobFile?(descriptor: Descriptor): string | undefined;
  /**
   * The bytes of a part of a blob, unverified: whoever reads them has a digest of the part. Undefined when only whole
   * blobs can be had.
   */
  openBlobPart?(
    descriptor: Descriptor,
    part: FilePart,
    options?: ReadBlobOptions,
  ): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** What was found out about layers before; a store keeps it beside the blobs. */
  readonly listings?: LayerListings | undefined;
}

/** Notes of what is in layers, so that a second look need not decompress them. They can be lost at any time. */
export interface LayerListings {
  /** What was written for a blob; undefined when there is nothing. */
  read(digest: Digest): Promise<Uint8Array | undefined>;
  /** Does nothing where nothing can be written. */
  write(digest: Digest, bytes: Uint8Array): Promise<void>;
}
