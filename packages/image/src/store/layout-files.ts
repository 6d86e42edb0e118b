import { lstat, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, digestAlgorithm, digestHex, parseAnyDigest } from '../digest/digest.ts';
import { ImageError } from '../errors.ts';
import { errnoOf } from './failure.ts';

/** Where a layout keeps what, and who may read it. */
export interface LayoutFiles {
  /** Absolute. */
  readonly directory: string;
  /** A store is for its user alone; a layout that is made to be handed on follows the umask. */
  readonly privacy: 'private' | 'umask';
}

/** The layout that is in a directory: private when nobody else may enter it. */
export async function layoutFilesOf(directory: string): Promise<LayoutFiles> {
  const { mode } = await stat(directory);
  return { directory, privacy: (mode & 0o077) === 0 ? 'private' : 'umask' };
}

/** The mode of directories that are made in the layout. */
export function directoryMode(files: LayoutFiles): number {
  return files.privacy === 'private' ? 0o700 : 0o777;
}

/** The mode of files that are made in the layout. */
export function fileMode(files: LayoutFiles): number {
  return files.privacy === 'private' ? 0o600 : 0o666;
}

/** The file of a blob (image-spec `image-layout.md`). The digest is checked again, since it becomes a path. */
export function blobPath(files: LayoutFiles, digest: Digest): string {
  const [algorithm = '', encoded = ''] = parseAnyDigest(digest).split(':');
  return join(files.directory, 'blobs', algorithm, encoded);
}

/** The directory of the blobs of the digest's algorithm. */
export function blobDirectory(files: LayoutFiles, digest: Digest): string {
  return join(files.directory, 'blobs', digestAlgorithm(digest));
}

/** The file that collects a blob's bytes until they are complete. */
export function partialPath(files: LayoutFiles, digest: Digest): string {
  return join(files.directory, 'ingest', `${digestAlgorithm(digest)}-${digestHex(digest)}`);
}

/** The lock of whoever writes a blob. */
export function blobLockName(digest: Digest): string {
  return `blob-${digestAlgorithm(digest)}-${digestHex(digest)}`;
}

/** The directories in which we keep what is no part of an image layout. */
export type OwnDirectory = 'ingest' | 'leases' | 'listings' | 'locks' | 'quarantine';

/**
 * Does some work in a directory of the layout's own, which is made if it is not there. The work is repeated when the
 * directory vanished meanwhile: another process may have tidied up. Throws ERR_OCI_STORE_INVALID when something else
 * is in its place: in a layout from elsewhere, `ingest` could be a symbolic link that leads our writes out of it.
 */
export async function inOwnDirectory<T>(
  files: LayoutFiles,
  name: OwnDirectory,
  work: (directory: string) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(await ownDirectory(files, name));
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' || attempt === 10) throw error;
    }
  }
}

async function ownDirectory(files: LayoutFiles, name: OwnDirectory): Promise<string> {
  const path = join(files.directory, name);
  try {
    await mkdir(path, { mode: directoryMode(files) });
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    if (!(await lstat(path)).isDirectory())
      throw new ImageError('ERR_OCI_STORE_INVALID', `${path} is not a directory`, {
        path,
        hint: 'this is not a store that can be written to',
      });
  }
  return path;
}
