import type { Stats } from 'node:fs';
import {
  access,
  chmod,
  chown,
  constants,
  lstat,
  mkdir,
  readdir,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  utimes,
} from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { BundleError } from '../errors.ts';
import { hasErrno } from '../rootfs/failure.ts';
import { isStaging, makeStaging, removeLeftovers } from './leftovers.ts';
import { removeDirectoryTree } from './remove-directory.ts';

/** A place to build a directory in, which appears at its target in the end or not at all. */
export interface Staging {
  /** Only for the owner (mode 0700); whatever is put here will be in the target. */
  readonly directory: string;
  /** Where the content will be: absolute, links resolved. */
  readonly target: string;
  /** The directory lies in the target, to which everything is moved one by one. */
  readonly isInside: boolean;
  /**
   * Moves the content to the target. With `only`, the target is that one directory of it.
   * Throws ERR_OCI_BUNDLE_EXISTS when somebody else filled the target meanwhile.
   */
  commit(options?: { readonly only?: string }): Promise<void>;
  /** Removes everything that was staged, and parents that were made for it. */
  discard(): Promise<void>;
}

/**
 * Prepares to make the directory `target`, which must not exist or be empty; parents are made. The staging directory
 * is a hidden sibling. When that is impossible (the target is a mount point, or its parent not writable), it
 * is inside of the target. What a killed process left there is removed. Throws ERR_OCI_BUNDLE_EXISTS, and ERR_OCI_UNPACK_DENIED when nothing may be made there.
 */
export async function stageDirectory(target: string): Promise<Staging> {
  const wanted = resolve(target);
  const exists = await requireVacant(wanted);
  const path = exists ? await realpath(wanted) : wanted;
  const inside = exists && !(await canReplace(path));
  const { directory, firstParent, lock } = await makeDirectory(path, { inside });

  async function commit({ only }: { readonly only?: string } = {}): Promise<void> {
    const source = only === undefined ? directory : join(directory, only);
    const status = await stat(source);
    try {
      await (inside ? moveContents(source, path) : move(source, path));
    } catch (error) {
      if (hasErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) throw occupied(path, error);
      throw error;
    }
    if (inside || only !== undefined) await removeDirectoryTree(directory);
    if (inside) await copyMetadata(status, path);
    lock[Symbol.dispose]();
  }

  async function discard(): Promise<void> {
    await removeDirectoryTree(directory);
    lock[Symbol.dispose]();
    if (firstParent !== undefined) await removeEmpty(dirname(path), { upTo: firstParent });
  }

  return { directory, target: path, isInside: inside, commit, discard };
}

async function makeDirectory(
  path: string,
  { inside }: { readonly inside: boolean },
): Promise<{
  readonly directory: string;
  readonly firstParent: string | undefined;
  readonly lock: Disposable;
}> {
  try {
    const firstParent = await mkdir(dirname(path), { recursive: true });
    const place = inside ? path : dirname(path);
    await removeLeftovers(place, basename(path));
    return { ...(await makeStaging(place, basename(path))), firstParent };
  } catch (error) {
    if (!hasErrno(error, 'EACCES', 'EPERM', 'EROFS')) throw error;
    throw new BundleError('ERR_OCI_UNPACK_DENIED', `not allowed to create ${path}`, {
      path,
      errno: error.code,
      cause: error,
      hint: 'choose a directory that you may write to',
    });
  }
}

function occupied(path: string, cause?: unknown): BundleError {
  return new BundleError('ERR_OCI_BUNDLE_EXISTS', `${path} already exists and is not an empty directory`, {
    path,
    hint: 'choose another directory, or remove this one first',
    ...(cause === undefined ? {} : { cause }),
  });
}

async function requireVacant(path: string): Promise<boolean> {
  try {
    const names = (await readdir(path)).filter((name) => !isStaging(name, basename(path)));
    if (names.length > 0) throw occupied(path);
    return true;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return false;
    if (hasErrno(error, 'ENOTDIR')) throw occupied(path, error);
    throw error;
  }
}

/** Whether a sibling can be renamed over an empty directory. */
async function canReplace(path: string): Promise<boolean> {
  const [own, parent] = await Promise.all([stat(path), stat(dirname(path))]);
  if (own.dev !== parent.dev || path === dirname(path)) return false;
  try {
    await access(dirname(path), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

type Path = string | Buffer;

/** Moving a directory changes its `..`, which takes permission to write to it. */
async function move(source: Path, target: Path): Promise<void> {
  const status = await lstat(source);
  const mode = status.mode & 0o7777;
  const closed = status.isDirectory() && (mode & 0o200) === 0;
  if (closed) await chmod(source, mode | 0o200);
  await rename(source, target);
  if (closed) await chmod(target, mode);
}

/** Moves what is in a directory; `config.json` comes last. */
async function moveContents(source: string, target: string): Promise<void> {
  const moved: Buffer[] = [];
  try {
    for (const name of (await readdir(source, { encoding: 'buffer' })).sort(Buffer.compare).reverse()) {
      const destination = below(target, name);
      await move(below(source, name), destination);
      moved.push(destination);
    }
  } catch (error) {
    for (const path of moved) await rm(path, { recursive: true, force: true });
    throw error;
  }
}

async function copyMetadata({ mode, uid, gid, atime, mtime }: Stats, target: string): Promise<void> {
  await chown(target, uid, gid);
  await chmod(target, mode & 0o7777);
  await utimes(target, atime, mtime);
}

function below(directory: string, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${directory}/`), name]);
}

async function removeEmpty(path: string, { upTo }: { readonly upTo: string }): Promise<void> {
  for (let at = path; at.startsWith(upTo); at = dirname(at)) {
    try {
      await rmdir(at);
    } catch (error) {
      if (hasErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) return;
      throw error;
    }
  }
}
