import { digestAlgorithm } from '../../digest/digest.ts';
import { createHasher } from '../../digest/hasher.ts';
import { errnoOf } from '../failure.ts';
import { handleChunks, openRegularFile } from '../file-chunks.ts';
import type { BlobFile } from '../garbage/listing.ts';

/** Reads a blob to its end. Returns what is wrong with it; undefined when nothing is, or when it is gone meanwhile. */
export async function verifyBlob(
  { digest, path }: Pick<BlobFile, 'digest' | 'path'>,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<string | undefined> {
  try {
    const handle = await openRegularFile(path);
    try {
      const hasher = createHasher(digestAlgorithm(digest));
      for await (const chunk of handleChunks(handle, { signal })) hasher.update(chunk);
      const actual = hasher.digest();
      return actual === digest ? undefined : `its content is that of ${actual}`;
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    // A sector that cannot be read, as a disk that is dying has.
    if (errnoOf(error) === 'EIO') return 'the disk cannot read it';
    throw error;
  }
}
