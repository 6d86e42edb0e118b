import type { Digest } from '../../digest/digest.ts';
import { isOciError } from '../../errors.ts';
import { inStore } from '../failure.ts';
import { DEFAULT_GRACE_MS, sweepBlobs } from '../garbage/collect-garbage.ts';
import { createDocuments } from '../garbage/documents.ts';
import { ageOf, type BlobFile, blobFile } from '../garbage/listing.ts';
import { type GarbageRoot, markFrom } from '../garbage/mark.ts';
import type { BlobVerdict } from '../garbage/survey.ts';
import { layoutFilesOf } from '../layout-files.ts';
import type { NamedImage, Store } from '../store.ts';
import { imageNotFound } from './find-images.ts';

/** Options of {@link removeImage}. */
export interface RemoveImageOptions {
  /** Whether blobs that nothing needs any more go too. Default true. */
  readonly prune?: boolean | undefined;
  /** What else is needed, with all it refers to: the images of containers. */
  readonly roots?: readonly GarbageRoot[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What {@link removeImage} did. */
export interface RemovedImage extends NamedImage {
  /** The blobs of the image, removed or not, and why; empty without `prune`. */
  readonly blobs: readonly BlobVerdict[];
}

/**
 * Forgets a name and removes those blobs of its image that nothing else needs, as `docker rmi` does. `name` is one that
 * the store has. A blob that somebody took up after the image was stored is left to {@link collectGarbage}, since it
 * may be about to get a name.
 *
 * Throws ERR_OCI_IMAGE_NOT_FOUND.
 */
export async function removeImage(
  store: Store,
  name: string,
  { prune = true, roots = [], signal }: RemoveImageOptions = {},
): Promise<RemovedImage> {
  signal?.throwIfAborted();
  const descriptor = await store.resolve(name);
  if (descriptor === undefined) throw imageNotFound(name);
  const documents = createDocuments(store);
  const blobs = prune ? await blobsBelow(descriptor.digest) : [];
  if (!(await store.untag(name))) throw imageNotFound(name);
  const top = blobs.find(({ digest }) => digest === descriptor.digest);
  if (top === undefined) return { name, descriptor, blobs: [] };
  const isYoung = (blob: BlobFile): boolean => blob.usedNs > top.usedNs && ageOf(blob) < DEFAULT_GRACE_MS;
  const rules = { documents, roots, isYoung, graceMs: DEFAULT_GRACE_MS, dryRun: false, signal };
  const { verdicts } = await inStore(store.directory, async () =>
    sweepBlobs(await layoutFilesOf(store.directory), { blobs, ...rules }),
  );
  return { name, descriptor, blobs: verdicts };

  async function blobsBelow(digest: Digest): Promise<readonly BlobFile[]> {
    const found: BlobFile[] = [];
    for (const below of (await reached(digest)).keys()) {
      const file = await inStore(store.directory, () => blobFile(store.file(below), below));
      if (file !== undefined && file !== 'gone') found.push(file);
    }
    return found;
  }

  async function reached(digest: Digest): Promise<ReadonlyMap<Digest, string>> {
    try {
      return await markFrom([{ digest, reason: '' }], { documents, signal });
    } catch (error) {
      // A damaged image can be forgotten too; what it was made of is left to `fsck` and `gc`.
      if (!isOciError(error, 'ERR_OCI_STORE_INVALID')) throw error;
      return new Map();
    }
  }
}
