import { constants } from 'node:fs';
import { copyFile, link, lstat, mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { RegistryError } from './errors.ts';

/** Where a fetched file is to go. */
export interface FilePlace {
  readonly directory: string;
  /** Components of its path below the directory, already checked. */
  readonly parts: readonly string[];
  readonly overwrite: boolean;
  /** Only look whether it could go there. */
  readonly isRehearsal: boolean;
}

/**
 * Gives a complete file its name. Directories on the way are made, or must be directories: a symbolic link
 * there, left by whoever could write before us, is refused, and one in the file's own place is replaced, not
 * followed. Throws ERR_OCI_REGISTRY_ARTIFACT_EXISTS.
 */
export async function placeFile(
  source: string,
  { directory, parts, overwrite, isRehearsal }: FilePlace,
): Promise<void> {
  let parent = directory;
  for (const part of parts.slice(0, -1)) {
    parent = join(parent, part);
    if (!(await isDirectory(parent))) {
      if (isRehearsal) return;
      await mkdir(parent);
    }
  }
  const target = join(parent, parts.at(-1) ?? '');
  const existing = await kindOf(target);
  if (existing === 'directory' || (existing !== undefined && !overwrite)) throw exists(target, existing);
  if (isRehearsal) return;
  if (overwrite) await rename(source, target);
  else await putNew(source, target);
}

/** Unlike a rename, this fails when somebody else made the file meanwhile. */
async function putNew(source: string, target: string): Promise<void> {
  try {
    await link(source, target);
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'EEXIST') throw exists(target, 'file');
    // File systems without hard links say one of these.
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'ENOSYS') throw error;
    await copyFile(source, target, constants.COPYFILE_EXCL);
  }
}

type Kind = 'directory' | 'symbolic link' | 'file';

async function isDirectory(path: string): Promise<boolean> {
  const kind = await kindOf(path);
  if (kind === undefined || kind === 'directory') return kind === 'directory';
  throw exists(path, kind);
}

async function kindOf(path: string): Promise<Kind | undefined> {
  try {
    const found = await lstat(path);
    if (found.isDirectory()) return 'directory';
    return found.isSymbolicLink() ? 'symbolic link' : 'file';
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return undefined;
    throw error;
  }
}

function exists(path: string, kind: Kind): RegistryError {
  return new RegistryError('ERR_OCI_REGISTRY_ARTIFACT_EXISTS', `${path} exists already and is a ${kind}`, {
    path,
    hint: 'choose another directory, or replace files with overwrite (--overwrite); nothing was written',
  });
}
