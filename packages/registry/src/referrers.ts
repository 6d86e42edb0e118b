import {
  type Descriptor,
  type Digest,
  digestAlgorithm,
  digestHex,
  ImageError,
  type Index,
  MediaType,
  parseIndex,
} from '@ocijs/image';
import { mediaTypeOf } from './content-type.ts';
import { endpoints } from './endpoints.ts';
import { RegistryError } from './errors.ts';
import { limits } from './limits.ts';
import { type CallOptions, getManifest, pullScopes } from './manifests.ts';
import { checkVisited, nextPage } from './paging.ts';
import type { Session } from './session.ts';
import { readBody } from './transport/response.ts';

/** Whose referrers are asked for. */
export interface ReferrersTarget extends CallOptions {
  readonly repository: string;
  /** Of the subject. */
  readonly digest: Digest;
  readonly artifactType?: string | undefined;
}

/** What refers to a manifest, as the registry says; none of it is verified. */
export interface ReferrersList {
  readonly referrers: readonly Descriptor[];
  /** `tag`: the registry has no referrers API, and clients keep an index under a tag instead. */
  readonly source: 'api' | 'tag';
}

/** By these a registry says that it has no referrers API. */
const unsupported: readonly number[] = [400, 404, 405, 406, 501];

/**
 * Asks which manifests have a subject (distribution-spec "Listing Referrers"): the referrers API, else the
 * fall-back tag. Each digest comes once. Throws ERR_OCI_LIMIT_EXCEEDED for more than 10,000.
 */
export async function fetchReferrers(session: Session, target: ReferrersTarget): Promise<ReferrersList> {
  const { artifactType } = target;
  const fromApi = await readApi(session, target);
  const all = fromApi ?? (await readReferrersTag(session, target))?.manifests ?? [];
  // The registry may have filtered already, or not: the result is the same.
  const wanted =
    artifactType === undefined ? all : all.filter((entry) => entry.artifactType === artifactType);
  const unique = new Map(wanted.map((descriptor) => [descriptor.digest, descriptor]));
  return { referrers: [...unique.values()], source: fromApi === undefined ? 'tag' : 'api' };
}

/** True when the registry has the referrers API, so that fall-back tags are none of our business. */
export async function hasReferrersApi(session: Session, target: ReferrersTarget): Promise<boolean> {
  return (
    (await readPage(session, { ...target, at: endpoints.referrers(target.repository, target) })) !== undefined
  );
}

async function readApi(
  session: Session,
  target: ReferrersTarget,
): Promise<readonly Descriptor[] | undefined> {
  const { digest } = target;
  const what = `referrers of ${digest}`;
  const found: Descriptor[] = [];
  const visited = new Set<string>();
  let next: string | URL | undefined = endpoints.referrers(target.repository, target);
  for (let count = 0; next !== undefined; count++) {
    const page: Page | undefined = await readPage(session, { ...target, at: next });
    if (page === undefined) {
      if (count === 0) return undefined;
      throw new RegistryError('ERR_OCI_REGISTRY_PROTOCOL', `${what} ended with a page that does not exist`, {
        digest,
      });
    }
    for (const descriptor of page.manifests) found.push(descriptor);
    if (count + 1 >= limits.referrerPages && page.next !== undefined) {
      throw tooMany(what, { limit: limits.referrerPages, unit: 'pages' });
    }
    if (found.length > limits.referrers) throw tooMany(what, { limit: limits.referrers, unit: 'entries' });
    checkVisited(page.next, { visited, what });
    next = page.next;
  }
  return found;
}

interface Page {
  readonly manifests: readonly Descriptor[];
  readonly next: URL | undefined;
}

/** Undefined when the registry does not know the API. */
function readPage(
  session: Session,
  { repository, digest, at, signal }: ReferrersTarget & { readonly at: string | URL },
): Promise<Page | undefined> {
  const what = `referrers of ${digest}`;
  return session.retrying(
    async () => {
      const response = await session.request({
        method: 'GET',
        target: at,
        headers: { accept: MediaType.index },
        what,
        accept: [200, ...unsupported],
        scopes: pullScopes(repository),
        signal,
      });
      // Some registries and proxies answer unknown paths with a page of their own.
      if (response.status !== 200 || mediaTypeOf(response.header('content-type')) !== MediaType.index) {
        await response.discard();
        return undefined;
      }
      const bytes = await readBody(response, { limit: limits.manifestBytes, what });
      const { manifests } = parseIndex(bytes, { mediaType: MediaType.index });
      return { manifests, next: nextPage(session, { response, what }) };
    },
    { signal },
  );
}

/** The tag under which clients keep a subject's referrers where the registry does not: `sha256-<hex>`. */
export function referrersTag(digest: Digest): string {
  return `${digestAlgorithm(digest).slice(0, 32)}-${digestHex(digest).slice(0, 64)}`;
}

/** The index under the fall-back tag; undefined when there is none. */
export async function readReferrersTag(
  session: Session,
  { repository, digest, signal }: ReferrersTarget,
): Promise<Index | undefined> {
  try {
    const { bytes, mediaType } = await getManifest(session, {
      repository,
      reference: referrersTag(digest),
      signal,
    });
    // Anybody may have pushed an image under such a tag: it refers to nothing then.
    return mediaType === MediaType.index ? parseIndex(bytes, { mediaType }) : undefined;
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'ERR_OCI_REGISTRY_NOT_FOUND') return undefined;
    throw error;
  }
}

function tooMany(
  what: string,
  { limit, unit }: { readonly limit: number; readonly unit: string },
): ImageError {
  return new ImageError('ERR_OCI_LIMIT_EXCEEDED', `${what} are more than ${limit} ${unit}`, { limit });
}
