import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { inStore } from './failure.ts';
import { inOwnDirectory, layoutFilesOf } from './layout-files.ts';
import type { Store } from './store.ts';

/**
 * Opens an empty file for reading and writing that has no name as soon as it is open: it is gone when it is closed or
 * the process ends, however that ends. It lies beside the blobs, so large content does not fill the memory that
 * many systems keep temporary files in. Throws ERR_OCI_STORE_DENIED, ERR_OCI_STORE_FULL.
 */
export async function openScratchFile({ directory }: Pick<Store, 'directory'>): Promise<FileHandle> {
  return inStore(directory, async () =>
    inOwnDirectory(await layoutFilesOf(directory), 'ingest', async (ingest) => {
      const path = join(ingest, `scratch-${randomUUID()}`);
      const handle = await open(path, 'wx+', 0o600);
      try {
        await rm(path);
      } catch (error) {
        await handle.close();
        throw error;
      }
      return handle;
    }),
  );
}
