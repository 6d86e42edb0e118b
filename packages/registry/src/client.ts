import type { BlobStatus, Descriptor } from '@ocijs/image';
import { type BlobBody, getBlob, hasBlob, openBlob } from './blobs.ts';
import { endpoints } from './endpoints.ts';
import {
  type CallOptions,
  type FetchedManifest,
  getManifest,
  headManifest,
  type ManifestHead,
  putManifest,
} from './manifests.ts';
import type { RegistryOptions } from './options.ts';
import { createSession } from './session.ts';
import { tags } from './tags.ts';
import { type UploadTarget, uploadBlob } from './upload.ts';

/**
 * The operations of the distribution specification on one registry, each with credentials, retries, limits
 * and verification. Every method throws {@link RegistryError}, or the signal's reason. Close it when done.
 */
export interface RegistryClient extends AsyncDisposable {
  /** As people name it: `docker.io`, `HOST[:PORT]`. */
  readonly registry: string;
  /** Makes sure that there is a registry and that it lets us in. */
  ping(options?: CallOptions): Promise<void>;
  /** What the registry says of a tag or digest, unverified. */
  headManifest(repository: string, reference: string, options?: CallOptions): Promise<ManifestHead>;
  /** A manifest or index of at most 4 MiB, verified when asked for by digest. */
  getManifest(repository: string, reference: string, options?: CallOptions): Promise<FetchedManifest>;
  /** Stores a manifest byte for byte under a tag or its digest. */
  putManifest(repository: string, reference: string, options: PutManifestOptions): Promise<void>;
  hasBlob(repository: string, descriptor: Descriptor, options?: CallOptions): Promise<boolean>;
  /** The bytes from `offset` on, not verified; the registry may start at 0 instead. */
  openBlob(repository: string, descriptor: Descriptor, options?: OpenBlobOptions): Promise<BlobBody>;
  /** The whole blob, verified; broken connections are resumed. */
  getBlob(repository: string, descriptor: Descriptor, options?: CallOptions): AsyncIterable<Uint8Array>;
  /** Uploads a blob unless it is there or can be mounted. */
  uploadBlob(repository: string, descriptor: Descriptor, options: UploadBlobOptions): Promise<BlobStatus>;
  /** All tags of a repository. */
  tags(repository: string, options?: CallOptions): Promise<string[]>;
}

/** What to store. */
export interface PutManifestOptions extends CallOptions {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
}

/** Where to start. */
export interface OpenBlobOptions extends CallOptions {
  /** In bytes. Default 0. */
  readonly offset?: number;
}

/** Where the bytes come from. */
export type UploadBlobOptions = Omit<UploadTarget, 'repository' | 'descriptor'>;

/**
 * Makes a client for a registry, `HOST[:PORT]` or `docker.io`. Nothing is sent before the first call.
 * Throws ERR_OCI_REFERENCE_INVALID for a name that cannot be a registry's.
 */
export function createRegistryClient(registry: string, options: RegistryOptions = {}): RegistryClient {
  const session = createSession(registry, options);
  return {
    registry: session.registry,
    async ping({ signal } = {}) {
      const what = `registry ${session.registry}`;
      const request = {
        method: 'GET',
        target: endpoints.base(),
        what,
        accept: [200],
        scopes: [],
        signal,
      } as const;
      await session.retrying(async () => (await session.request(request)).discard(), { signal });
    },
    headManifest: (repository, reference, call = {}) =>
      headManifest(session, { ...call, repository, reference }),
    getManifest: (repository, reference, call = {}) =>
      getManifest(session, { ...call, repository, reference }),
    async putManifest(repository, reference, manifest) {
      await putManifest(session, { ...manifest, repository, reference });
    },
    hasBlob: (repository, descriptor, call = {}) => hasBlob(session, { ...call, repository, descriptor }),
    openBlob: (repository, descriptor, call = {}) =>
      openBlob(session, { offset: 0, ...call, repository, descriptor }),
    getBlob: (repository, descriptor, call = {}) => getBlob(session, { ...call, repository, descriptor }),
    uploadBlob: (repository, descriptor, upload) =>
      uploadBlob(session, { ...upload, repository, descriptor }),
    tags: (repository, call = {}) => tags(session, { ...call, repository }),
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}
