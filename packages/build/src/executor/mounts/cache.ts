import { createHash } from 'node:crypto';
import { chmod, chown, lstat, mkdir, rename, rm } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { lockDirectory, tryLockDirectory } from '@ocijs/bundle';
import { type Digest, writeTar } from '@ocijs/image';
import { extractArchive } from '../../context/extract-archive.ts';
import { layerEntries } from '../../copy/layer-entries.ts';
import { planCopy } from '../../copy/plan-copy.ts';
import { selectFiles } from '../../copy/select-files.ts';
import type { StageSource } from '../../dockerfile/graph/plan.ts';
import type { MountFlag } from '../../dockerfile/instructions/types.ts';
import { BuildError } from '../../errors.ts';
import { bindOptions, type MountContext, type PrepareMount } from './mount-context.ts';

/** How many steps may have a private cache of one id at the same time. */
const MAX_PRIVATE = 1000;

/**
 * `type=cache`: a directory that outlives the build. `shared` by all who run, `locked` by one at a time, or `private`:
 * another one for each that runs at the same time. With `from`, a new one begins as a copy of those files; without, `source`
 * is a directory in it.
 */
export const cacheMount: PrepareMount = async (flag, at) => {
  const origin = await originOf(flag, at);
  const base = join(at.environment.store.directory, 'build-cache', 'mounts');
  const name = cacheName(flag.id ?? at.target, origin?.layers);
  const path = await acquire(join(base, name), { name, flag, at, origin });
  at.environment.noteMount({ name, directory: path });
  const source = origin === undefined ? await directoryIn(path, flag.source ?? '') : path;
  const options = [...bindOptions, flag.readonly === true ? 'ro' : 'rw'];
  return { mounts: [{ destination: at.target, type: 'bind', source, options }], environment: [] };
};

/** The directory that a cache has among those of the store. */
export function cacheName(id: string, layers?: readonly Digest[]): string {
  const identity = layers === undefined ? id : JSON.stringify([id, layers]);
  return createHash('sha256').update(identity).digest('hex');
}

interface Origin {
  readonly source: StageSource;
  /** Caches that begin with other files are others. */
  readonly layers: readonly Digest[];
}

interface CacheRequest {
  readonly name: string;
  readonly flag: MountFlag;
  readonly at: MountContext;
  readonly origin: Origin | undefined;
}

async function originOf({ from }: MountFlag, at: MountContext): Promise<Origin | undefined> {
  const source = from === undefined ? undefined : at.planned.sources.get(from);
  if (source === undefined) return undefined;
  const layers = await at.environment.layersOf(source, { stage: at.planned.stage.index });
  return { source, layers: layers ?? [] };
}

/** A directory below a cache. No link that something in the cache has made leads out of it. */
async function directoryIn(cache: string, path: string): Promise<string> {
  let at = cache;
  for (const name of posix.normalize(`/${path}`).split('/')) {
    if (name === '') continue;
    at = join(at, name);
    await mkdir(at).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST' && (await lstat(at)).isDirectory()) return;
      throw new BuildError('ERR_OCI_BUILD_SOURCE_NOT_FOUND', `${path} of the cache is no directory`, {
        path,
        cause: error,
      });
    });
  }
  return at;
}

async function acquire(directory: string, request: CacheRequest): Promise<string> {
  const { flag, at } = request;
  const { signal } = at.environment.options;
  if (flag.sharing === 'private') return acquirePrivate(directory, request);
  await make(directory, request);
  const exclusive = flag.sharing === 'locked';
  at.resources.use(await lockDirectory(directory, { exclusive, signal }));
  return directory;
}

/** The first of the caches that nobody holds. */
async function acquirePrivate(directory: string, request: CacheRequest): Promise<string> {
  const { at } = request;
  for (let number = 0; number < MAX_PRIVATE; number++) {
    const path = number === 0 ? directory : `${directory}.${number}`;
    await make(path, request);
    const lock = tryLockDirectory(path, { exclusive: true });
    if (lock === undefined) continue;
    at.resources.use(lock);
    return path;
  }
  throw new RangeError(`more than ${MAX_PRIVATE} steps hold a private cache of ${at.target}`);
}

/** A cache that is new has its owner, mode and content from the start, whoever looks at it at the same time. */
async function make(path: string, { name, flag, at, origin }: CacheRequest): Promise<void> {
  if (await exists(path)) return;
  const fresh = `${path}.${process.pid}.new`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { recursive: true });
  try {
    const isFilled = await importInto(fresh, { name, at });
    if (origin !== undefined && !isFilled) await fill(fresh, { name, flag, at, origin });
    const { mode = 0o755, uid = 0, gid = 0 } = flag;
    if (origin === undefined || flag.mode !== undefined) await chmod(fresh, mode);
    if (
      process.geteuid?.() === 0 &&
      (origin === undefined || flag.uid !== undefined || flag.gid !== undefined)
    )
      await chown(fresh, uid, gid);
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
}

/** A cache that this store has not had is taken from those that the caller has named. */
async function importInto(
  directory: string,
  { name, at }: Pick<CacheRequest, 'name' | 'at'>,
): Promise<boolean> {
  const { imported, store, options } = at.environment;
  const { signal } = options;
  const mount = imported.mount(name);
  if (mount === undefined) return false;
  const descriptor = await imported.bringMount(mount);
  await extractArchive(store.read(descriptor, { signal }), { directory, signal });
  return true;
}

async function fill(
  directory: string,
  { flag, at, origin }: CacheRequest & { readonly origin: Origin },
): Promise<void> {
  const { environment, planned } = at;
  const { signal } = environment.options;
  using root = await environment.openSource(origin.source, { stage: planned.stage.index });
  const selected = selectFiles(root, flag.source ?? '/', { exclude: [], parents: false });
  if (!selected.every(({ isDirectory }) => isDirectory))
    throw new BuildError('ERR_OCI_BUILD_SOURCE_NOT_FOUND', `${flag.source} of ${root.label} is no directory`);
  const entries = layerEntries(planCopy(selected, [], { path: '/' }), { timeNs: undefined, signal });
  await extractArchive(writeTar(entries, { signal }), { directory, signal });
}
