import { createHash } from 'node:crypto';
import { chmod, chown, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { lockDirectory, tryLockDirectory } from '@ocijs/bundle';
import type { MountFlag } from '../../dockerfile/instructions/types.ts';
import { bindOptions, type MountContext, type PrepareMount } from './mount-context.ts';

/** How many steps may have a private cache of one id at the same time. */
const MAX_PRIVATE = 1000;

/**
 * `type=cache`: a directory that outlives the build. `shared` by all who run, `locked` by one at a time, or `private`:
 * another one for each that runs at the same time.
 */
export const cacheMount: PrepareMount = async (flag, at) => {
  const base = join(at.environment.store.directory, 'build-cache', 'mounts');
  const name = createHash('sha256')
    .update(flag.id ?? at.target)
    .digest('hex');
  const source = await acquire(join(base, name), flag, at);
  const options = [...bindOptions, flag.readonly === true ? 'ro' : 'rw'];
  return { mounts: [{ destination: at.target, type: 'bind', source, options }], environment: [] };
};

async function acquire(directory: string, flag: MountFlag, at: MountContext): Promise<string> {
  const { signal } = at.environment.options;
  if (flag.sharing === 'private') return acquirePrivate(directory, flag, at);
  await make(directory, flag);
  const exclusive = flag.sharing === 'locked';
  at.resources.use(await lockDirectory(directory, { exclusive, signal }));
  return directory;
}

/** The first of the caches that nobody holds. */
async function acquirePrivate(directory: string, flag: MountFlag, at: MountContext): Promise<string> {
  for (let number = 0; number < MAX_PRIVATE; number++) {
    const path = number === 0 ? directory : `${directory}.${number}`;
    await make(path, flag);
    const lock = tryLockDirectory(path, { exclusive: true });
    if (lock === undefined) continue;
    at.resources.use(lock);
    return path;
  }
  throw new RangeError(`more than ${MAX_PRIVATE} steps hold a private cache of ${at.target}`);
}

/** A cache that is new has its owner and mode from the start, whoever looks at it at the same time. */
async function make(path: string, { mode = 0o755, uid = 0, gid = 0 }: MountFlag): Promise<void> {
  const fresh = `${path}.${process.pid}.new`;
  await mkdir(fresh, { recursive: true });
  try {
    await chmod(fresh, mode);
    if (process.geteuid?.() === 0) await chown(fresh, uid, gid);
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
  }
}
