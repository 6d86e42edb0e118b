import { relative } from 'node:path';
import { type Digest, isDigest } from '../../digest/digest.ts';
import { isOciError } from '../../errors.ts';
import { inStore } from '../failure.ts';
import { type BlobFile, listBlobs } from '../garbage/listing.ts';
import { readIndexFile } from '../index-file.ts';
import { type LayoutFiles, layoutFilesOf } from '../layout-files.ts';
import { isLayout } from '../layout-marker.ts';
import type { Store } from '../store.ts';
import { checkGraph } from './graph.ts';
import type { StoreProblem } from './problem.ts';
import { quarantineBlob } from './quarantine.ts';
import { findStrays, stray } from './stray.ts';
import { verifyBlob } from './verify-blob.ts';

/** Options of {@link checkStore}. */
export interface CheckStoreOptions {
  /** Moves damaged blobs to `quarantine/`, so that the next pull fetches them again. Default false. */
  readonly repair?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What {@link checkStore} found. */
export interface StoreReport {
  /** True when nothing but stray files was found. */
  readonly sound: boolean;
  /** How many blobs were read, and their bytes. */
  readonly blobs: number;
  readonly bytes: number;
  readonly problems: readonly StoreProblem[];
}

/**
 * Checks a whole store: reads every blob and computes its digest, follows every entry of `index.json` to the blobs it
 * needs, and looks for files that belong to nothing. Other processes may use the store meanwhile; partial downloads
 * and what killed processes left are in order, and the business of {@link collectGarbage}.
 *
 * What is wrong is in the report; an error is thrown only when the check itself cannot go on: ERR_OCI_STORE_DENIED,
 * ERR_OCI_STORE_FAILED, `signal.reason`.
 */
export async function checkStore(
  store: Store,
  { repair = false, signal }: CheckStoreOptions = {},
): Promise<StoreReport> {
  signal?.throwIfAborted();
  const { directory } = store;
  return inStore(directory, async () => {
    const files = await layoutFilesOf(directory);
    const layout = await checkLayoutFiles(files);
    const { blobs, others } = await listBlobs(directory, { signal });
    const damaged: StoreProblem[] = [];
    for (const blob of blobs) {
      signal?.throwIfAborted();
      const problem = await checkBlob(files, blob, { repair, signal });
      if (problem !== undefined) damaged.push(problem);
    }
    const broken = new Set<Digest>(damaged.flatMap(({ digest }) => digest ?? []));
    const graph = layout.length > 0 ? [] : await confirmedGraph(store, { damaged: broken, signal });
    const strays = [
      ...others.map((path) => stray(relative(directory, path))),
      ...(await findStrays(directory)),
    ];
    const problems = [...layout, ...damaged, ...graph, ...strays];
    return {
      sound: problems.every(({ kind }) => kind === 'stray-file'),
      blobs: blobs.length,
      bytes: blobs.reduce((total, { size }) => total + size, 0),
      problems,
    };
  });
}

async function checkLayoutFiles(files: LayoutFiles): Promise<StoreProblem[]> {
  const problems: StoreProblem[] = [];
  const checks = { 'oci-layout': () => isLayout(files.directory), 'index.json': () => readIndexFile(files) };
  for (const [path, check] of Object.entries(checks)) {
    try {
      if ((await check()) === false)
        problems.push({ kind: 'invalid-layout', path, message: `${path} is missing` });
    } catch (error) {
      if (!isOciError(error)) throw error;
      problems.push({ kind: 'invalid-layout', path, message: error.message });
    }
  }
  return problems;
}

async function checkBlob(
  files: LayoutFiles,
  { digest, path }: BlobFile,
  { repair, signal }: { readonly repair: boolean; readonly signal: AbortSignal | undefined },
): Promise<StoreProblem | undefined> {
  if (!isDigest(digest)) return undefined;
  const fault = await verifyBlob({ digest, path }, { signal });
  if (fault === undefined) return undefined;
  const problem: StoreProblem = {
    kind: 'damaged-blob',
    digest,
    path: relative(files.directory, path),
    message: `blob ${digest} is damaged: ${fault}`,
  };
  if (!repair) return problem;
  const quarantined = await quarantineBlob(files, { digest, path, signal });
  return quarantined === undefined ? undefined : { ...problem, quarantined };
}

/** Looked at twice when something is missing: a name may have been removed, or a blob stored again, in between. */
async function confirmedGraph(
  store: Store,
  options: Parameters<typeof checkGraph>[1],
): Promise<readonly StoreProblem[]> {
  const first = await checkGraph(store, options);
  if (first.length === 0) return first;
  const again = await checkGraph(store, options);
  return again.filter(({ digest }) => first.some((problem) => problem.digest === digest));
}
