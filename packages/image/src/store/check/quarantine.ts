import { lstat, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '../../digest/digest.ts';
import { errnoOf } from '../failure.ts';
import { blobLockName, inOwnDirectory, type LayoutFiles } from '../layout-files.ts';
import { acquireLock } from '../lock/lock.ts';
import { verifyBlob } from './verify-blob.ts';

/**
 * Moves a damaged blob to `quarantine/`, where a person may look at it; nothing is deleted. Waits for a writer of the
 * blob, and looks again: it may have been stored anew. Returns the new path relative to the layout, or undefined when
 * the blob is sound now.
 */
export async function quarantineBlob(
  files: LayoutFiles,
  {
    digest,
    path,
    signal,
  }: { readonly digest: Digest; readonly path: string; readonly signal?: AbortSignal | undefined },
): Promise<string | undefined> {
  return inOwnDirectory(files, 'locks', async (locks) => {
    await using _lock = await acquireLock(join(locks, blobLockName(digest)), {
      what: `blob ${digest}`,
      signal,
    });
    if ((await verifyBlob({ digest, path }, { signal })) === undefined) return undefined;
    return inOwnDirectory(files, 'quarantine', async (quarantine) => {
      const base = digest.replace(':', '-');
      for (let attempt = 0; ; attempt++) {
        const name = attempt === 0 ? base : `${base}.${attempt}`;
        if (await exists(join(quarantine, name))) continue;
        await rename(path, join(quarantine, name));
        return join('quarantine', name);
      }
    });
  });
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}
