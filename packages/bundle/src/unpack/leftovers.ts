import { lstat, mkdtemp, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fstat } from '@ocijs/linux';
import { hasErrno } from '../rootfs/failure.ts';
import { tryLockDirectory } from '../snapshots/lock.ts';
import { removeDirectoryTree } from './remove-directory.ts';

const randomCharacters = 6;

/** Whether a name is that of a staging directory for the target `base`. */
export function isStaging(name: string, base: string): boolean {
  const prefix = stagingPrefix(base);
  return name.startsWith(prefix) && name.length === prefix.length + randomCharacters;
}

function stagingPrefix(base: string): string {
  return `.${base}.oci-`;
}

/** Makes a staging directory in `place`, mode 0700, with a lock that tells others that somebody works in it. */
export async function makeStaging(
  place: string,
  base: string,
): Promise<{ readonly directory: string; readonly lock: Disposable }> {
  for (;;) {
    const directory = await mkdtemp(join(place, stagingPrefix(base)));
    const lock = await lockIfThere(directory);
    if (lock !== undefined) return { directory, lock };
  }
}

/** Removes what killed processes of this user left in `place`; nobody has a lock on it. */
export async function removeLeftovers(place: string, base: string): Promise<void> {
  for (const name of await readdir(place)) {
    if (!isStaging(name, base)) continue;
    const directory = join(place, name);
    using lock = await lockIfThere(directory);
    if (lock !== undefined) await removeIfOurs(directory);
  }
}

/** What a user namespace left holds files of subordinate ids, which the next one there removes. */
async function removeIfOurs(directory: string): Promise<void> {
  try {
    await removeDirectoryTree(directory);
  } catch (error) {
    if (!hasErrno(error, 'EACCES', 'EPERM')) throw error;
  }
}

/** Undefined when somebody else has it, when it is somebody else's, or when it disappeared meanwhile. */
async function lockIfThere(directory: string): Promise<Disposable | undefined> {
  try {
    const status = await lstat(directory);
    if (!status.isDirectory() || status.uid !== process.geteuid?.()) return undefined;
    const lock = tryLockDirectory(directory, { exclusive: true });
    if (lock === undefined) return undefined;
    if ((await stat(directory, { bigint: true })).ino === fstat(lock.fd).ino) return lock;
    lock[Symbol.dispose]();
    return undefined;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
