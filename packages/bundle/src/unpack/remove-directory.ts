import { rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { hasErrno } from '../rootfs/failure.ts';
import { linuxOperations } from '../rootfs/linux-operations.ts';
import { removeTree } from '../rootfs/remove.ts';

/** Removes a directory with everything in it, also with directories that keep their owner out. Follows no links. */
export async function removeDirectoryTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    if (!hasErrno(error, 'EACCES', 'EPERM', 'ENOTEMPTY')) throw error;
    const operations = linuxOperations();
    const parent = operations.openRoot(dirname(path));
    try {
      removeTree(operations, { directory: parent, name: basename(path) }, { unlock: true });
    } finally {
      operations.close(parent);
    }
  }
}
