import type { Dirent } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, parseAnyDigest } from '../../digest/digest.ts';
import { isOciError } from '../../errors.ts';
import { errnoOf } from '../failure.ts';

/** A file below `blobs/`, or in `ingest/`. */
export interface BlobFile {
  readonly digest: Digest;
  readonly path: string;
  readonly size: number;
  /** Nanoseconds since 1970: when it was stored, or last taken up by a writer. */
  readonly usedNs: bigint;
}

/** What lies below `blobs/`. */
export interface BlobListing {
  readonly blobs: readonly BlobFile[];
  /** Paths of what can be no blob: a name that is no digest, or no regular file. */
  readonly others: readonly string[];
}

/** Lists the blobs of a layout, in the order of their digests; those that go away meanwhile are left out. */
export async function listBlobs(
  directory: string,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<BlobListing> {
  const blobs: BlobFile[] = [];
  const others: string[] = [];
  const base = join(directory, 'blobs');
  for (const algorithm of await entriesOf(base)) {
    if (!algorithm.isDirectory()) {
      others.push(join(base, algorithm.name));
      continue;
    }
    for (const { name } of await entriesOf(join(base, algorithm.name))) {
      signal?.throwIfAborted();
      const path = join(base, algorithm.name, name);
      const digest = digestOf(`${algorithm.name}:${name}`);
      const file = digest === undefined ? undefined : await blobFile(path, digest);
      if (file === undefined) others.push(path);
      else if (file !== 'gone') blobs.push(file);
    }
  }
  return { blobs, others };
}

/** Lists the partial blobs in `ingest/`. */
export async function listPartials(directory: string): Promise<readonly BlobFile[]> {
  const partials: BlobFile[] = [];
  for (const { name } of await entriesOf(join(directory, 'ingest'))) {
    const digest = digestOf(name.replace('-', ':'));
    if (digest === undefined || !name.includes('-')) continue;
    const file = await blobFile(join(directory, 'ingest', name), digest);
    if (file !== undefined && file !== 'gone') partials.push(file);
  }
  return partials;
}

/** A blob's file as it is now; undefined when it is no regular file. */
export async function blobFile(path: string, digest: Digest): Promise<BlobFile | 'gone' | undefined> {
  try {
    const found = await lstat(path, { bigint: true });
    return found.isFile() ? { digest, path, size: Number(found.size), usedNs: found.mtimeNs } : undefined;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 'gone';
    throw error;
  }
}

/** Milliseconds since a file was stored or taken up. */
export function ageOf({ usedNs }: BlobFile): number {
  return Date.now() - Number(usedNs / 1_000_000n);
}

function digestOf(text: string): Digest | undefined {
  try {
    return parseAnyDigest(text);
  } catch (error) {
    if (isOciError(error, 'ERR_OCI_DIGEST_INVALID')) return undefined;
    throw error;
  }
}

async function entriesOf(directory: string): Promise<readonly Dirent[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}
