import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { digestAlgorithm } from '../../digest/digest.ts';
import { isOciError } from '../../errors.ts';
import { blobLockName, inOwnDirectory, type LayoutFiles } from '../layout-files.ts';
import { acquireLock } from '../lock/lock.ts';
import { type BlobFile, blobFile } from './listing.ts';

/**
 * Removes a blob or partial blob that nothing needs, unless a writer has it or took it up since it was listed; the
 * lock of `index.json` must be held, so that nobody names it meanwhile. Returns why it stayed; undefined when it is gone.
 */
export async function sweepFile(files: LayoutFiles, listed: BlobFile): Promise<string | undefined> {
  digestAlgorithm(listed.digest);
  try {
    return await inOwnDirectory(files, 'locks', async (locks) => {
      await using _lock = await acquireLock(join(locks, blobLockName(listed.digest)), {
        what: `blob ${listed.digest}`,
        timeoutMs: 0,
      });
      const now = await blobFile(listed.path, listed.digest);
      if (now === 'gone') return undefined;
      if (now?.usedNs !== listed.usedNs) return 'used meanwhile';
      await rm(listed.path, { force: true });
      return undefined;
    });
  } catch (error) {
    if (isOciError(error, 'ERR_OCI_STORE_LOCKED')) return 'being written';
    throw error;
  }
}
