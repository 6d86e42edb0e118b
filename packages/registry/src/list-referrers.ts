import { type Descriptor, type Digest, formatReference, parseReference, type Reference } from '@ocijs/image';
import { limits } from './limits.ts';
import type { RegistryOptions } from './options.ts';
import { fetchReferrers } from './referrers.ts';
import { resolve } from './resolve.ts';
import { createSession, type Session } from './session.ts';

/** Options of {@link listReferrers}. */
export interface ListReferrersOptions extends RegistryOptions {
  /** Only referrers of this type. */
  readonly artifactType?: string | undefined;
  /** How deep to follow referrers of referrers, at most 8. Default 1: the subject's own. */
  readonly depth?: number | undefined;
}

/** A manifest and what refers to it. */
export interface ReferrerNode {
  readonly descriptor: Descriptor;
  /** In the registry's order. Undefined below the depth that was asked for, and where the same digest stands elsewhere. */
  readonly referrers: readonly ReferrerNode[] | undefined;
}

/** What refers to a subject, as the registry says: signatures, attestations and other artifacts. */
export interface ReferrerTree extends ReferrerNode {
  /** The subject's full name. */
  readonly reference: string;
  readonly referrers: readonly ReferrerNode[];
  /** `tag`: the registry has no referrers API, and clients keep an index under a tag instead. */
  readonly source: 'api' | 'tag';
}

/**
 * Lists what refers to a manifest or index (distribution-spec "Listing Referrers"). The registry's word for it:
 * whoever fetches a referrer should check that the subject is in it. Each digest is followed once, so that a
 * hostile registry can make no circle; throws ERR_OCI_LIMIT_EXCEEDED for more than 10,000 of one subject and
 * ends the tree at 1,000 that are followed.
 */
export async function listReferrers(
  name: string | Reference,
  options: ListReferrersOptions = {},
): Promise<ReferrerTree> {
  const { artifactType, signal, depth = 1 } = options;
  signal?.throwIfAborted();
  const reference = typeof name === 'string' ? parseReference(name) : name;
  const { registry, repository } = reference;
  await using session = createSession(registry, { ...options, repository });
  const { descriptor } = await resolve(session, { reference, signal });
  const { referrers, source } = await fetchReferrers(session, {
    repository,
    digest: descriptor.digest,
    artifactType,
    signal,
  });
  const visited = new Set<Digest>([descriptor.digest]);
  const levels = Math.min(depth, limits.referrerDepth) - 1;
  const nodes = await follow(session, { found: referrers, repository, visited, levels, signal });
  return { reference: formatReference(reference), descriptor, referrers: nodes, source };
}

interface Followed {
  readonly found: readonly Descriptor[];
  readonly repository: string;
  readonly visited: Set<Digest>;
  readonly levels: number;
  readonly signal: AbortSignal | undefined;
}

async function follow(session: Session, target: Followed): Promise<readonly ReferrerNode[]> {
  const { found, repository, visited, levels, signal } = target;
  const nodes: ReferrerNode[] = [];
  for (const descriptor of found) {
    const { digest } = descriptor;
    const isFollowed = levels > 0 && !visited.has(digest) && visited.size < limits.referrerNodes;
    if (!isFollowed) {
      nodes.push({ descriptor, referrers: undefined });
      continue;
    }
    visited.add(digest);
    const below = await fetchReferrers(session, { repository, digest, signal });
    const next = { found: below.referrers, repository, visited, levels: levels - 1, signal };
    nodes.push({ descriptor, referrers: await follow(session, next) });
  }
  return nodes;
}
