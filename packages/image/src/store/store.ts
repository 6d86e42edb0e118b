import type { Descriptor } from '../descriptor.ts';
import type { Platform } from '../platform.ts';
import type { ImageSource, LayerListings } from '../source.ts';
import type { ContentStore } from './content-store.ts';
import type { Lease, LeaseOptions } from './lease/lease.ts';

/** An entry of a store's index that has a name. */
export interface NamedImage {
  /** The annotation `org.opencontainers.image.ref.name`. */
  readonly name: string;
  /** Describes a manifest or an index. */
  readonly descriptor: Descriptor;
}

/** Which image is wanted behind a name. */
export interface OpenImageOptions {
  /** Default: that of this host when there is a choice. When given, a single manifest must fit too. */
  readonly platform?: Platform | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Bytes by digest, and images by name. */
export interface ImageStore extends ContentStore, AsyncDisposable {
  /** Every entry of the index, named or not, in its order. */
  entries(): Promise<readonly Descriptor[]>;
  /** The entries that have a name. */
  list(): Promise<readonly NamedImage[]>;
  /** What a name stands for; undefined when it stands for nothing. */
  resolve(name: string): Promise<Descriptor | undefined>;
  /**
   * Gives a name to content of the store; an earlier meaning of the name is forgotten.
   * Throws ERR_OCI_BLOB_NOT_FOUND when the store lacks the blob, ERR_OCI_REFERENCE_INVALID for a name that cannot be one.
   */
  tag(name: string, descriptor: Descriptor): Promise<void>;
  /** Forgets a name; false when there was none. The blobs stay. */
  untag(name: string): Promise<boolean>;
  /**
   * Protects blobs from garbage collection, in all processes, until the lease is disposed or the process ends. Who
   * brings an image into the store takes one, and gives it up when the image has its name.
   */
  lease(options: LeaseOptions): Promise<Lease>;
  /**
   * Opens an image by name or descriptor; an index is followed to the manifest of the platform. A name is taken as it is, else
   * written out in full: `debian` is also found as `docker.io/library/debian:latest`.
   * Throws ERR_OCI_IMAGE_NOT_FOUND, ERR_OCI_PLATFORM_NOT_FOUND, and what {@link loadImage} throws.
   */
  image(name: string | Descriptor, options?: OpenImageOptions): Promise<ImageSource>;
}

/** An {@link ImageStore} in a directory: an OCI image layout (image-spec `image-layout.md`). */
export interface Store extends ImageStore {
  /** Absolute. */
  readonly directory: string;
  /** Of a store that is its user's alone. */
  readonly listings?: LayerListings | undefined;
  file(digest: Descriptor['digest']): string;
}
