import { readdir, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ImageError } from '../errors.ts';
import { errnoOf } from './failure.ts';
import { lockIndex, writeLayoutFile } from './index-file.ts';
import { directoryMode, type LayoutFiles } from './layout-files.ts';
import { emptyLayoutIndex, encodeLayoutIndex } from './layout-index.ts';
import { isLayout, layoutMarker } from './layout-marker.ts';
import { makeDirectories } from './make-directories.ts';

/** What may lie in a directory that becomes a layout: our own first steps, cut short; a fresh file system's own. */
const harmless: ReadonlySet<string> = new Set(['locks', 'ingest', 'leases', 'blobs', 'lost+found']);

/**
 * Makes the directory an image layout unless it is one already. Several processes may do so at once, and one that
 * was killed half-way is completed. Throws ERR_OCI_STORE_INVALID when other things are in the directory.
 */
export async function ensureLayout(files: LayoutFiles): Promise<void> {
  const { directory } = files;
  if ((await isLayout(directory)) && (await hasIndex(directory))) return;
  await makeDirectories(directory, directoryMode(files));
  if (!(await isLayout(directory))) await assertVacant(directory);
  await using lock = await lockIndex(files);
  await makeDirectories(join(directory, 'blobs', 'sha256'), directoryMode(files));
  if (!(await isLayout(directory))) await writeLayoutFile(files, 'oci-layout', { bytes: layoutMarker, lock });
  if (!(await hasIndex(directory)))
    await writeLayoutFile(files, 'index.json', { bytes: encodeLayoutIndex(emptyLayoutIndex), lock });
}

/** Removes the empty directories that writing left in a layout which is to be handed on. */
export async function tidyLayout({ directory }: LayoutFiles): Promise<void> {
  for (const name of ['ingest', 'leases', 'locks']) {
    try {
      await rmdir(join(directory, name));
    } catch (error) {
      // Another process is at work there, or it was never made.
      if (!['ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(errnoOf(error) ?? '')) throw error;
    }
  }
}

async function hasIndex(directory: string): Promise<boolean> {
  try {
    await stat(join(directory, 'index.json'));
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}

async function assertVacant(directory: string): Promise<void> {
  const others = (await readdir(directory)).filter((name) => !harmless.has(name));
  if (others.length === 0 || (await isLayout(directory))) return;
  throw new ImageError('ERR_OCI_STORE_INVALID', `${directory} is not empty and not an image layout`, {
    path: directory,
    actual: others.slice(0, 5).join(', '),
    hint: 'choose an empty or new directory with --store or OCI_STORE',
  });
}
