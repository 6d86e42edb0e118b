import { type Digest, isDigest } from '../../digest/digest.ts';
import { readIndexFile } from '../index-file.ts';
import type { LayoutFiles } from '../layout-files.ts';
import { REF_NAME } from '../layout-index.ts';
import { readLeases } from '../lease/read-leases.ts';
import type { Documents } from './documents.ts';
import { formatAge } from './format-age.ts';
import { ageOf, type BlobFile } from './listing.ts';
import { type GarbageRoot, markFrom, markReferrers } from './mark.ts';

/** What becomes of a blob, and why. */
export interface BlobVerdict {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
  readonly kept: boolean;
  /** For a person: `tagged by NAME`, `in lease of pid 12: pull of NAME`, `younger than 24 h`, `unreferenced`. */
  readonly reason: string;
}

/** What is judged, and by which rules. */
export interface SurveyOptions {
  readonly documents: Documents;
  readonly blobs: readonly BlobFile[];
  readonly roots: readonly GarbageRoot[];
  /** Whether an unreferenced blob is so young that somebody may be about to name it. */
  readonly isYoung: (blob: BlobFile) => boolean;
  readonly graceMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** The state of a layout at one moment. */
export interface Survey {
  readonly verdicts: readonly BlobVerdict[];
  /** Blobs that leases protect, and how the lease is called. */
  readonly leased: ReadonlyMap<Digest, string>;
  /** The files of leases that have ended without being given up. */
  readonly expiredLeases: readonly string[];
}

/** Judges every blob. The verdicts last as long as the lock of `index.json` is held. */
export async function survey(files: LayoutFiles, options: SurveyOptions): Promise<Survey> {
  const { documents, blobs, signal } = options;
  const leases = await readLeases(files);
  const { entries } = await readIndexFile(files);
  const roots = [...entries.map(({ descriptor }) => rootOf(descriptor)), ...options.roots];
  const marked = await markFrom(roots, { documents, signal });
  const candidates = blobs.map(({ digest }) => digest);
  await markReferrers(marked, { candidates, documents, signal });
  const leased = new Map<Digest, string>();
  for (const { expired, digests, pid, purpose } of leases)
    if (!expired) for (const digest of digests) leased.set(digest, `in lease of pid ${pid}: ${purpose}`);
  return {
    verdicts: blobs.map((blob) => {
      const { digest, size } = blob;
      const needed = marked.get(digest) ?? leased.get(digest) ?? spared(blob, options);
      return { digest, size, kept: needed !== undefined, reason: needed ?? 'unreferenced' };
    }),
    leased,
    expiredLeases: leases.filter(({ expired }) => expired).map(({ path }) => path),
  };
}

function spared(blob: BlobFile, { isYoung, graceMs }: SurveyOptions): string | undefined {
  if (!isDigest(blob.digest)) return 'of an unknown algorithm';
  return isYoung(blob) ? `younger than ${formatAge(graceMs)}` : undefined;
}

/** By default: whether it was stored or taken up within the grace time. */
export function youngerThan(graceMs: number): (blob: BlobFile) => boolean {
  return (blob) => ageOf(blob) < graceMs;
}

function rootOf(descriptor: {
  readonly digest: Digest;
  readonly annotations?: Readonly<Record<string, string>>;
}): GarbageRoot {
  const name = descriptor.annotations?.[REF_NAME];
  const reason = name === undefined ? 'in index.json without a name' : `tagged by ${name}`;
  return { digest: descriptor.digest, reason };
}
