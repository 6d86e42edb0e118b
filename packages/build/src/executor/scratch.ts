import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { tryLockDirectory, unmountAll } from '@ocijs/bundle';
import type { Store } from '@ocijs/image';
import { parseMountInfo } from '@ocijs/linux/mount-info';

/** Where in its directory a build has the state of its containers. */
export const containers = 'runtime';

/** A directory of one build, in the store. Disposing removes it, with whatever is still mounted in it. */
export interface BuildScratch extends AsyncDisposable {
  readonly directory: string;
}

/** Makes the directory, and removes what builds left that were killed: a lock that nobody holds tells them. */
export async function openScratch(store: Store): Promise<BuildScratch> {
  const parent = join(store.directory, 'builds');
  await mkdir(parent, { recursive: true, mode: 0o700 });
  for (const name of await readdir(parent)) await removeIfDead(join(parent, name));
  const directory = await mkdtemp(join(parent, 'build-'));
  const lock = tryLockDirectory(directory, { exclusive: true });
  return {
    directory,
    async [Symbol.asyncDispose](): Promise<void> {
      try {
        await removeScratch(directory);
      } finally {
        lock?.[Symbol.dispose]();
      }
    },
  };
}

async function removeIfDead(directory: string): Promise<void> {
  try {
    using lock = tryLockDirectory(directory, { exclusive: true });
    if (lock !== undefined) await removeScratch(directory);
  } catch (error) {
    // Another build is removing it at the same time, or it is no directory of a build.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
  }
}

async function removeScratch(directory: string): Promise<void> {
  await removeContainers(join(directory, containers));
  for (const path of await mountsBelow(directory)) unmountAll(path);
  await rm(directory, { recursive: true, force: true });
}

/** Of a build that was killed: their processes ended with it, and their cgroups did not. */
async function removeContainers(root: string): Promise<void> {
  const ids = await readdir(root).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return [];
  });
  if (ids.length === 0) return;
  const { remove } = await import('@ocijs/runtime');
  for (const id of ids) await remove(id, { root, force: true });
}

/** What is mounted below a directory, the inner ones first. */
async function mountsBelow(directory: string): Promise<readonly string[]> {
  const mounts = parseMountInfo(await readFile('/proc/self/mountinfo', 'utf8'));
  return mounts
    .map(({ mountPoint }) => mountPoint)
    .filter((point) => point.startsWith(`${directory}/`))
    .reverse();
}
