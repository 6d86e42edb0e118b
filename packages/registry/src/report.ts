import type { BlobStatus, Digest, Platform } from '@ocijs/image';

/** How one blob travelled. */
export interface BlobReport {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
  readonly mediaType: string;
  readonly status: BlobStatus;
}

/** What a pull or push did. Manifests are not among the blobs. */
export interface TransferReport {
  /** The full name: `docker.io/library/debian:bookworm`. */
  readonly reference: string;
  /** The name at the mirror that everything came from, when it was one. */
  readonly mirror?: string;
  /** Of what the tag names: the index of a multi-platform image, else the manifest. */
  readonly digest: Digest;
  readonly mediaType: string;
  readonly platform?: Platform;
  readonly blobs: readonly BlobReport[];
  /** Bytes of blobs that came over the network. */
  readonly bytesFetched?: number;
  /** Bytes of blobs that were there already, also of those that were completed. */
  readonly bytesReused?: number;
  /** Bytes of blobs that were uploaded. */
  readonly bytesPushed?: number;
}
