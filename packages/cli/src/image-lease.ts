import type { ImageSource, Store } from '@ocijs/image';
import { codeOf } from './exit-codes.ts';
import type { ImageName } from './image-name.ts';

/** Whose image is leased, and for what. */
export interface ImageLeaseOptions {
  readonly name: ImageName;
  readonly openStore: () => Promise<Store>;
  /** What is done with the image, for the reasons that `oci gc` gives: `unpack`. */
  readonly purpose: string;
  readonly signal: AbortSignal;
}

/** Keeps `oci gc` and `oci rmi` of other processes from an image of the store while it is read. */
export async function leaseImage(
  image: ImageSource,
  { name, openStore, purpose, signal }: ImageLeaseOptions,
): Promise<AsyncDisposable | undefined> {
  if (name.transport !== 'name' && name.transport !== 'docker') return undefined;
  const { imageDigests } = await import('@ocijs/image');
  const store = await openStore();
  try {
    return await store.lease({
      digests: imageDigests(image),
      purpose: `${purpose} of ${image.name}`,
      signal,
    });
  } catch (error) {
    // A store that we may only read: it is for its owner to keep what others use.
    if (codeOf(error) === 'ERR_OCI_STORE_DENIED') return undefined;
    throw error;
  }
}
