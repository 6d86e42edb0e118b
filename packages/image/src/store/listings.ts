import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, digestAlgorithm, digestHex, parseAnyDigest } from '../digest/digest.ts';
import { isOciError } from '../errors.ts';
import { LISTING_LIMIT } from '../limits.ts';
import type { LayerListings } from '../source.ts';
import { errnoOf } from './failure.ts';
import { readSmallFile } from './file-chunks.ts';
import type { RemovedLeftover } from './garbage/collect-garbage.ts';
import { blobPath, fileMode, inOwnDirectory, type LayoutFiles } from './layout-files.ts';
import { namesIn } from './names-in.ts';

/** What only says that the store can, or may, not be written to. */
const unwritable: ReadonlySet<unknown> = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT']);

/** The listings of the layers of a store, in `listings/`: a file for each blob. */
export function storeListings(files: LayoutFiles): LayerListings {
  const nameOf = (digest: Digest): string => `${digestAlgorithm(digest)}-${digestHex(digest)}`;
  return {
    async read(digest) {
      try {
        return await readSmallFile(join(files.directory, 'listings', nameOf(digest)), LISTING_LIMIT);
      } catch (error) {
        if (errnoOf(error) === 'ENOENT' || isOciError(error)) return undefined;
        throw error;
      }
    },
    async write(digest, bytes) {
      try {
        await inOwnDirectory(files, 'listings', async (directory) => {
          const path = join(directory, nameOf(digest));
          const temporary = `${path}.${randomUUID()}`;
          try {
            await writeFile(temporary, bytes, { mode: fileMode(files), flag: 'wx' });
            await rename(temporary, path);
          } catch (error) {
            await rm(temporary, { force: true });
            throw error;
          }
        });
      } catch (error) {
        if (!unwritable.has(errnoOf(error))) throw error;
      }
    },
  };
}

/** The blob that a file in `listings/` belongs to, also while it is written; undefined for a name of something else. */
export function listingDigest(name: string): Digest | undefined {
  const [, algorithm, hex] = /^([a-z0-9]+)-([0-9a-f]+)(?:\.[0-9a-f-]{36})?$/.exec(name) ?? [];
  try {
    return parseAnyDigest(`${algorithm}:${hex}`);
  } catch (error) {
    if (isOciError(error, 'ERR_OCI_DIGEST_INVALID')) return undefined;
    throw error;
  }
}

/** How long a listing may take to write, in milliseconds; what is older was left by a process that was killed. */
const writingMs = 60 * 60 * 1000;

/** Removes the listings of blobs that are gone, and what killed processes left of others. */
export async function sweepListings(
  directory: string,
  { dryRun }: { readonly dryRun: boolean },
): Promise<RemovedLeftover[]> {
  const removed: RemovedLeftover[] = [];
  for (const name of await namesIn(join(directory, 'listings'))) {
    const digest = listingDigest(name);
    if (digest === undefined) continue;
    const path = join(directory, 'listings', name);
    try {
      const { size, mtimeMs } = await stat(path);
      const isPartial = name.includes('.') && Date.now() - mtimeMs > writingMs;
      if (!isPartial && existsSync(blobPath({ directory, privacy: 'private' }, digest))) continue;
      if (!dryRun) await rm(path, { force: true });
      const reason = isPartial ? 'listing of a process that ended' : 'listing of a layer that is gone';
      removed.push({ path: join('listings', name), size, reason });
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }
  return removed;
}
