import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '../../digest/digest.ts';
import { errnoOf, inStore } from '../failure.ts';
import { lockIndex } from '../index-file.ts';
import { type LayoutFiles, layoutFilesOf } from '../layout-files.ts';
import { sweepListings } from '../listings.ts';
import { removeDeadLocks } from '../lock/lock.ts';
import type { Store } from '../store.ts';
import { createDocuments, type Documents } from './documents.ts';
import { formatAge } from './format-age.ts';
import { ageOf, type BlobFile, listBlobs, listPartials } from './listing.ts';
import type { GarbageRoot } from './mark.ts';
import { type BlobVerdict, type Survey, survey, youngerThan } from './survey.ts';
import { sweepFile } from './sweep.ts';

/** How long a blob is spared that nothing refers to yet: whoever brought it may be about to name it. */
export const DEFAULT_GRACE_MS: number = 24 * 60 * 60 * 1000;

/** The lock of `index.json` is given back after this time, so that nobody waits long for a name. */
const TURN_MS = 200;

/** Options of {@link collectGarbage}. */
export interface CollectGarbageOptions {
  /** Only says what would be done; changes nothing. Default false. */
  readonly dryRun?: boolean | undefined;
  /**
   * Milliseconds for which unreferenced blobs are spared; default 24 hours. With 0, only names and leases protect:
   * use it when no program writes into the store that takes no lease.
   */
  readonly graceMs?: number | undefined;
  /** What else is needed, with all it refers to: the images of containers. */
  readonly roots?: readonly GarbageRoot[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Something other than a blob that was in the way. */
export interface RemovedLeftover {
  /** Relative to the store. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  readonly reason: string;
}

/** What a collection did, or with `dryRun` would do. */
export interface GarbageReport {
  /** One for each blob, in the order of their digests. */
  readonly blobs: readonly BlobVerdict[];
  /** Partial downloads that nobody resumed within the grace time, and what dead processes left. */
  readonly leftovers: readonly RemovedLeftover[];
  /** With those of leftovers. */
  readonly bytesFreed: number;
  readonly bytesKept: number;
}

/**
 * Removes the blobs that nothing needs. Needed is what an entry of `index.json` leads to (indexes, manifests, configs,
 * layers, subjects), the referrers of that, what `roots` lead to, and what a {@link Lease} of a running process names.
 *
 * Safe while any number of processes write: a blob goes only under the lock under which names and leases are given,
 * after everything was looked at again, and only when no writer has it or took it up meanwhile.
 *
 * Throws ERR_OCI_STORE_INVALID when a manifest that is needed is damaged, since what it needs is not known then
 * (`checkStore` with `repair` puts it away); ERR_OCI_STORE_DENIED; `signal.reason`.
 */
export async function collectGarbage(
  store: Store,
  { dryRun = false, graceMs = DEFAULT_GRACE_MS, roots = [], signal }: CollectGarbageOptions = {},
): Promise<GarbageReport> {
  signal?.throwIfAborted();
  const { directory } = store;
  return inStore(directory, async () => {
    const files = await layoutFilesOf(directory);
    const { blobs } = await listBlobs(directory, { signal });
    const partials = (await listPartials(directory)).filter((partial) => ageOf(partial) >= graceMs);
    const rules = {
      documents: createDocuments(store),
      roots,
      isYoung: youngerThan(graceMs),
      graceMs,
      signal,
    };
    const swept = await sweepBlobs(files, { blobs, dryRun, ...rules });
    const stale = dryRun
      ? stalePartials(files, partials, { survey: swept.survey, graceMs })
      : await sweepLeftovers(files, { partials, documents: rules.documents, graceMs });
    const leftovers = [...stale, ...(await sweepListings(directory, { dryRun }))];
    const sum = (list: readonly { readonly size: number }[]): number =>
      list.reduce((total, { size }) => total + size, 0);
    return {
      blobs: swept.verdicts,
      leftovers,
      bytesFreed: sum(swept.verdicts.filter(({ kept }) => !kept)) + sum(leftovers),
      bytesKept: sum(swept.verdicts.filter(({ kept }) => kept)),
    };
  });
}

/** What {@link sweepBlobs} works with. */
export interface SweepOptions {
  readonly documents: Documents;
  readonly blobs: readonly BlobFile[];
  readonly roots: readonly GarbageRoot[];
  readonly isYoung: (blob: BlobFile) => boolean;
  readonly graceMs: number;
  readonly dryRun: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Judges the blobs and removes those that nothing needs. */
export async function sweepBlobs(
  files: LayoutFiles,
  options: SweepOptions,
): Promise<{ readonly verdicts: readonly BlobVerdict[]; readonly survey: Survey }> {
  // Without the lock first: reading all manifests takes time, and what was read is remembered.
  const first = await survey(files, options);
  const doomed = new Set(first.verdicts.flatMap(({ kept, digest }) => (kept ? [] : [digest])));
  if (options.dryRun || doomed.size === 0) return { verdicts: first.verdicts, survey: first };
  const removed = new Set<Digest>();
  const stayed = new Map<Digest, string>();
  for (;;) {
    options.signal?.throwIfAborted();
    await using _lock = await lockIndex(files);
    const deadline = performance.now() + TURN_MS;
    const now = await survey(files, {
      ...options,
      blobs: options.blobs.filter(({ digest }) => doomed.has(digest) && !removed.has(digest)),
    });
    for (const { digest, kept, reason } of now.verdicts) if (kept) stayed.set(digest, reason);
    const left = options.blobs.filter(
      ({ digest }) => doomed.has(digest) && !removed.has(digest) && !stayed.has(digest),
    );
    for (const blob of left) {
      if (performance.now() > deadline) break;
      const reason = await sweepFile(files, blob);
      if (reason === undefined) removed.add(blob.digest);
      else stayed.set(blob.digest, reason);
    }
    if (left.every(({ digest }) => removed.has(digest) || stayed.has(digest)))
      return { verdicts: first.verdicts.map((verdict) => corrected(verdict, stayed)), survey: now };
  }
}

function corrected(verdict: BlobVerdict, stayed: ReadonlyMap<Digest, string>): BlobVerdict {
  const reason = stayed.get(verdict.digest);
  return reason === undefined ? verdict : { ...verdict, kept: true, reason };
}

function stalePartials(
  { directory }: LayoutFiles,
  partials: readonly BlobFile[],
  { survey: { leased }, graceMs }: { readonly survey: Survey; readonly graceMs: number },
): RemovedLeftover[] {
  return partials
    .filter(({ digest }) => !leased.has(digest))
    .map(({ path, size }) => ({
      path: path.slice(directory.length + 1),
      size,
      reason: `partial, not resumed for ${formatAge(graceMs)}`,
    }));
}

async function sweepLeftovers(
  files: LayoutFiles,
  {
    partials,
    documents,
    graceMs,
  }: { readonly partials: readonly BlobFile[]; readonly documents: Documents; readonly graceMs: number },
): Promise<RemovedLeftover[]> {
  const { directory } = files;
  const removed: RemovedLeftover[] = [];
  {
    await using _lock = await lockIndex(files);
    const rules = { documents, blobs: [], roots: [], isYoung: youngerThan(graceMs), graceMs };
    const now = await survey(files, rules);
    for (const path of now.expiredLeases) {
      await rm(path, { force: true });
      removed.push({
        path: path.slice(directory.length + 1),
        size: 0,
        reason: 'lease of a process that ended',
      });
    }
    for (const leftover of stalePartials(files, partials, { survey: now, graceMs })) {
      const partial = partials.find(({ path }) => path.endsWith(leftover.path));
      if (partial !== undefined && (await sweepFile(files, partial)) === undefined) removed.push(leftover);
    }
    // Nobody else writes these while we hold the lock.
    for (const name of ['index.json', 'oci-layout'])
      await rm(join(directory, 'ingest', name), { force: true, recursive: true });
  }
  for (const name of await deadLocks(directory))
    removed.push({ path: `locks/${name}`, size: 0, reason: 'lock of a process that ended' });
  return removed;
}

async function deadLocks(directory: string): Promise<readonly string[]> {
  const locks = join(directory, 'locks');
  try {
    await readdir(locks);
    return await removeDeadLocks(locks);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}
