import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, inStore } from './failure.ts';
import { inOwnDirectory, layoutFilesOf } from './layout-files.ts';
import type { Store } from './store.ts';

/** `O_TMPFILE` of Linux, which Node does not name: a file that never has a name, in a directory. */
const temporary = 0o20000000 | constants.O_DIRECTORY;

/** What file systems and kernels without it answer. */
const withoutTemporary: ReadonlySet<string | undefined> = new Set(['EOPNOTSUPP', 'EISDIR', 'EINVAL']);

/**
 * Opens an empty file for reading and writing that has no name: it is gone when it is closed or the process ends,
 * however that ends. Where files have names until they are removed, that is so as soon as it is open. It lies beside the blobs, so large content does not fill the memory that
 * many systems keep temporary files in. Throws ERR_OCI_STORE_DENIED, ERR_OCI_STORE_FULL.
 */
export async function openScratchFile({ directory }: Pick<Store, 'directory'>): Promise<FileHandle> {
  return inStore(directory, async () =>
    inOwnDirectory(
      await layoutFilesOf(directory),
      'ingest',
      async (ingest) => (await openNameless(ingest)) ?? (await openAndRemove(ingest)),
    ),
  );
}

async function openNameless(directory: string): Promise<FileHandle | undefined> {
  if (process.platform !== 'linux') return undefined;
  try {
    return await open(directory, constants.O_RDWR | temporary, 0o600);
  } catch (error) {
    if (withoutTemporary.has(errnoOf(error))) return undefined;
    throw error;
  }
}

async function openAndRemove(directory: string): Promise<FileHandle> {
  const path = join(directory, `scratch-${randomUUID()}`);
  const handle = await open(path, 'wx+', 0o600);
  try {
    await rm(path);
  } catch (error) {
    await handle.close();
    throw error;
  }
  return handle;
}
