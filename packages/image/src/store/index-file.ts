import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ImageError } from '../errors.ts';
import { LAYOUT_INDEX_LIMIT } from '../limits.ts';
import { replaceFile, syncDirectory } from './durable.ts';
import { errnoOf } from './failure.ts';
import { readSmallFile } from './file-chunks.ts';
import { fileMode, inOwnDirectory, type LayoutFiles } from './layout-files.ts';
import { encodeLayoutIndex, type LayoutIndex, parseLayoutIndex } from './layout-index.ts';
import { acquireLock, type Lock } from './lock/lock.ts';

/** `index.json` is held for milliseconds; whoever holds it for longer than this is stopped. */
const LOCK_TIMEOUT_MS = 120_000;

/** What `index.json` was when it was read last: to read it is quick, to check a thousand entries is not. */
const lastRead = new WeakMap<LayoutFiles, { readonly raw: Uint8Array; readonly index: LayoutIndex }>();

/** Reads `index.json`. Throws ERR_OCI_STORE_INVALID, also when it is missing. */
export async function readIndexFile(files: LayoutFiles): Promise<LayoutIndex> {
  const { directory } = files;
  const path = join(directory, 'index.json');
  try {
    const raw = await readSmallFile(path, LAYOUT_INDEX_LIMIT);
    const last = lastRead.get(files);
    if (last !== undefined && Buffer.compare(last.raw, raw) === 0) return last.index;
    const index = parseLayoutIndex(raw, path);
    lastRead.set(files, { raw, index });
    return index;
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    throw new ImageError('ERR_OCI_STORE_INVALID', `${directory} has no index.json`, {
      path,
      cause: error,
      hint: 'an image layout has the files oci-layout and index.json',
    });
  }
}

/**
 * Changes `index.json` under the lock of the layout and returns what was there before; `change` returns the new
 * index, or the same object to leave the file alone, and may look at the blobs: none of them is collected meanwhile.
 * The directories of the blobs are synced first, so that no entry
 * survives a power cut that its blob does not.
 */
export async function updateIndexFile(
  files: LayoutFiles,
  change: (index: LayoutIndex) => LayoutIndex | Promise<LayoutIndex>,
): Promise<LayoutIndex> {
  await using lock = await lockIndex(files);
  const before = await readIndexFile(files);
  const after = await change(before);
  if (after === before) return before;
  await syncBlobDirectories(files);
  await writeLayoutFile(files, 'index.json', { bytes: encodeLayoutIndex(after), lock });
  return before;
}

/** Waits for the lock that guards `oci-layout`, `index.json` and `leases/`: what says which blobs are needed. */
export async function lockIndex(files: LayoutFiles): Promise<Lock> {
  return inOwnDirectory(files, 'locks', (directory) =>
    acquireLock(join(directory, 'index'), {
      what: `the index of ${files.directory}`,
      timeoutMs: LOCK_TIMEOUT_MS,
    }),
  );
}

/** What to write, and the lock that makes us the only one. */
interface LockedBytes {
  readonly bytes: Uint8Array;
  readonly lock: Lock;
}

/** Replaces a file at the top of the layout. */
export async function writeLayoutFile(
  files: LayoutFiles,
  name: 'index.json' | 'oci-layout',
  { bytes, lock }: LockedBytes,
): Promise<void> {
  await inOwnDirectory(files, 'ingest', (directory) =>
    replaceFile(join(files.directory, name), bytes, {
      temporary: join(directory, name),
      mode: fileMode(files),
      beforeRename: () => lock.assertHeld(),
    }),
  );
  await syncDirectory(files.directory);
}

async function syncBlobDirectories({ directory }: LayoutFiles): Promise<void> {
  const blobs = join(directory, 'blobs');
  for (const entry of await readdir(blobs, { withFileTypes: true }))
    if (entry.isDirectory()) await syncDirectory(join(blobs, entry.name));
}
