import type { Digest } from '../../digest/digest.ts';
import { isOciError } from '../../errors.ts';
import type { Documents } from './documents.ts';

/** A blob that is needed for its own sake. */
export interface GarbageRoot {
  readonly digest: Digest;
  /** Why, for a person: `tagged by docker.io/library/debian:bookworm`. */
  readonly reason: string;
}

/** What {@link markFrom} works with. */
export interface MarkOptions {
  readonly documents: Documents;
  readonly signal?: AbortSignal | undefined;
}

/** Everything that is reached from the roots, with the reason of the first root that reaches it. */
export async function markFrom(
  roots: Iterable<GarbageRoot>,
  { documents, signal }: MarkOptions,
): Promise<Map<Digest, string>> {
  const marked = new Map<Digest, string>();
  const followed = new Set<Digest>();
  for (const { digest: root, reason } of roots) {
    const open = [root];
    for (let digest = open.pop(); digest !== undefined; digest = open.pop()) {
      if (!marked.has(digest)) marked.set(digest, reason);
      // One that was only met as a layer or config before has not been looked into.
      if (followed.has(digest)) continue;
      followed.add(digest);
      signal?.throwIfAborted();
      const { blobs, documents: further } = await documents.read(digest, { signal });
      for (const blob of blobs) if (!marked.has(blob)) marked.set(blob, reason);
      open.push(...further);
    }
  }
  return marked;
}

/**
 * Adds the documents among `candidates` whose subject is marked (image-spec `manifest.md`, "subject"), with what they
 * refer to: a signature stays as long as what it signs, though no name refers to it.
 */
export async function markReferrers(
  marked: Map<Digest, string>,
  { candidates, documents, signal }: MarkOptions & { readonly candidates: Iterable<Digest> },
): Promise<void> {
  const waiting = new Map<Digest, Digest>();
  for (const digest of candidates) {
    if (marked.has(digest)) continue;
    signal?.throwIfAborted();
    const subject = await subjectOf(digest, { documents, signal });
    if (subject !== undefined) waiting.set(digest, subject);
  }
  for (let grew = true; grew; ) {
    grew = false;
    for (const [digest, subject] of waiting) {
      if (!marked.has(subject)) continue;
      waiting.delete(digest);
      grew = true;
      const reached = await markFrom([{ digest, reason: `refers to ${subject}` }], { documents, signal });
      for (const [blob, reason] of reached) if (!marked.has(blob)) marked.set(blob, reason);
    }
  }
}

async function subjectOf(digest: Digest, { documents, signal }: MarkOptions): Promise<Digest | undefined> {
  try {
    return (await documents.read(digest, { signal })).subject;
  } catch (error) {
    // Nothing refers to it, and it is damaged: it may go.
    if (isOciError(error, 'ERR_OCI_STORE_INVALID')) return undefined;
    throw error;
  }
}
