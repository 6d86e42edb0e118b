import type { Digest } from '../../digest/digest.ts';
import { inStore } from '../failure.ts';
import { layoutFilesOf } from '../layout-files.ts';
import type { Store } from '../store.ts';
import { sweepBlobs } from './collect-garbage.ts';
import { createDocuments } from './documents.ts';
import { blobFile } from './listing.ts';
import type { BlobVerdict } from './survey.ts';

/** Options of {@link removeBlob}. */
export interface RemoveBlobOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Removes one blob, however young, unless a name leads to it, a {@link Lease} names it or somebody writes it: then the
 * verdict says `kept`, and why. Undefined when the store has no such blob. Safe while other processes write, as
 * `collectGarbage` is.
 *
 * Throws ERR_OCI_STORE_INVALID when a manifest that has a name is damaged, since what it needs is not known then;
 * ERR_OCI_STORE_DENIED; `signal.reason`.
 */
export async function removeBlob(
  store: Store,
  digest: Digest,
  { signal }: RemoveBlobOptions = {},
): Promise<BlobVerdict | undefined> {
  signal?.throwIfAborted();
  return inStore(store.directory, async () => {
    const file = await blobFile(store.file(digest), digest);
    if (file === undefined || file === 'gone') return undefined;
    const { verdicts } = await sweepBlobs(await layoutFilesOf(store.directory), {
      documents: createDocuments(store),
      blobs: [file],
      roots: [],
      isYoung: () => false,
      graceMs: 0,
      dryRun: false,
      signal,
    });
    return verdicts[0];
  });
}
