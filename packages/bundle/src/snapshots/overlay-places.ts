import { chmod, mkdir, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { removeDirectoryTree } from '../unpack/remove-directory.ts';
import { copyRoot } from './copy-root.ts';

/** Where the layers of an overlay have short names, when it is mounted by a path. */
export const lowerName = 'lower';

/** Makes the directory that a root file system is mounted at, or copied to: the same whatever the umask and the time. */
export async function makeMountPoint(directory: string): Promise<string> {
  const rootfs = join(directory, 'rootfs');
  await mkdir(rootfs);
  await chmod(rootfs, 0o755);
  await utimes(rootfs, 0, 0);
  return rootfs;
}

/** Makes the places for what is changed in an overlay, whose top looks like that of the uppermost layer. */
export async function makeUpper(
  directory: string,
  { top }: { readonly top: string | undefined },
): Promise<{ readonly changes: string; readonly upper: string; readonly work: string }> {
  const changes = join(directory, 'overlay');
  const [upper, work] = [join(changes, 'upper'), join(changes, 'work')];
  for (const path of [changes, upper, work]) await mkdir(path, { mode: 0o700 });
  copyRoot(top ?? upper, upper);
  return { changes, upper, work };
}

/** Removes what was made in a directory for a root file system, which must not be mounted. */
export async function discardRootfs(directory: string): Promise<void> {
  for (const name of ['rootfs', 'overlay', lowerName]) await removeDirectoryTree(join(directory, name));
  await rm(join(directory, 'rootfs.json'), { force: true });
}
