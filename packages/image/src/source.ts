import type { Descriptor } from './descriptor.ts';
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
}
