import { mkdir, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fstat } from '@ocijs/linux';
import { hasErrno } from '../rootfs/failure.ts';
import { removeDirectoryTree } from '../unpack/remove-directory.ts';
import { type DirectoryLock, lockDirectory } from './lock.ts';
import { recordName, rootfsName, type SnapshotPaths } from './paths.ts';
import { readSnapshotRecord } from './record.ts';

/**
 * Lets `fill` make a snapshot in `paths.staging`, with its record, or waits for the process that is making it. The
 * directory in which it is made is the lock as well: it has a known name, and what a killed process left in it is
 * removed by the next one that locks it.
 */
export async function makeSnapshot(
  paths: SnapshotPaths,
  fill: () => Promise<void>,
  { signal }: { readonly signal?: AbortSignal | undefined },
): Promise<void> {
  await mkdir(dirname(paths.staging), { recursive: true, mode: 0o700 });
  for (;;) {
    using lock = await lockStaging(paths.staging, signal);
    if ((await readSnapshotRecord(paths.directory)) !== undefined) {
      if (await isStill(paths.staging, lock)) await removeDirectoryTree(paths.staging);
      return;
    }
    // Whoever had the lock before has moved or removed the directory.
    if (!(await isStill(paths.staging, lock))) continue;
    try {
      for (const name of [rootfsName, recordName, 'snapshot.json'])
        await removeDirectoryTree(join(paths.staging, name));
      await fill();
      await removeDirectoryTree(paths.directory);
      await rename(paths.staging, paths.directory);
      return;
    } catch (error) {
      await removeDirectoryTree(paths.staging);
      throw error;
    }
  }
}

async function lockStaging(path: string, signal: AbortSignal | undefined): Promise<DirectoryLock> {
  for (;;) {
    try {
      await mkdir(path, { mode: 0o700 });
    } catch (error) {
      if (!hasErrno(error, 'EEXIST')) throw error;
    }
    try {
      return await lockDirectory(path, { exclusive: true, signal });
    } catch (error) {
      if (!hasErrno(error, 'ENOENT')) throw error;
    }
  }
}

/** True while the locked directory has its name. */
async function isStill(path: string, { fd }: DirectoryLock): Promise<boolean> {
  try {
    return (await stat(path, { bigint: true })).ino === fstat(fd).ino;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return false;
    throw error;
  }
}
