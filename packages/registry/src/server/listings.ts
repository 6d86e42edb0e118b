import { type Descriptor, MediaType } from '@ocijs/image';
import { type Exchange, sendJson } from './exchange.ts';
import { RequestFailure } from './failure.ts';
import { pageOf } from './page.ts';
import { allEntries, entriesOf, manifestFacts, manifestsOf } from './repository.ts';

/** GET of a repository's tags, sorted, in pages. */
export async function listTags(exchange: Exchange, repository: string): Promise<void> {
  const entries = await entriesOf(exchange, repository);
  if (entries.length === 0) throw new RequestFailure(404, ['NAME_UNKNOWN', `no repository ${repository}`]);
  const tags = new Set(entries.map(({ tag }) => tag).filter((tag) => tag !== undefined));
  const { items, headers } = pageOf(exchange, [...tags].sort());
  sendJson(exchange, { name: repository, tags: items }, headers);
}

/** GET of the repositories, each under its shortest name. */
export async function listRepositories(exchange: Exchange): Promise<void> {
  const shortest = new Map<string, string>();
  for (const { name, repository } of await allEntries(exchange.store, exchange.baseRepository)) {
    const known = shortest.get(name);
    if (known === undefined || repository.length < known.length) shortest.set(name, repository);
  }
  const { items, headers } = pageOf(exchange, [...new Set(shortest.values())].sort());
  sendJson(exchange, { repositories: items }, headers);
}

/**
 * GET of the manifests that have `digest` as their subject (distribution-spec 1.1, "Listing Referrers"), in the order of
 * their digests, so that pages fit together whatever is pushed meanwhile.
 */
export async function listReferrers(
  exchange: Exchange,
  target: { readonly repository: string; readonly digest: string },
): Promise<void> {
  const query = exchange.url.searchParams;
  const wantedType = query.get('artifactType');
  const after = query.get('last') ?? '';
  const all = await referrersOf(exchange, target);
  const rest = all
    .filter(({ digest, artifactType }) => digest > after && (wantedType ?? artifactType) === artifactType)
    .sort((left, right) => (left.digest < right.digest ? -1 : 1));
  const page = firstPage(rest, exchange.limits.referrersPage);
  const last = page.at(-1);
  sendJson(
    exchange,
    { schemaVersion: 2, mediaType: MediaType.index, manifests: page },
    {
      'content-type': MediaType.index,
      ...(wantedType === null ? {} : { 'oci-filters-applied': 'artifactType' }),
      ...(last === undefined || page.length === rest.length
        ? {}
        : { link: linkAfter(exchange, last.digest) }),
    },
  );
}

/** What a list of referrers says of each: a descriptor of the manifest itself, with what it says of itself. */
async function referrersOf(
  exchange: Exchange,
  { repository, digest }: { readonly repository: string; readonly digest: string },
): Promise<readonly (Descriptor & { readonly artifactType?: string })[]> {
  const { store, signal } = exchange;
  const entries = await entriesOf(exchange, repository);
  const found: (Descriptor & { readonly artifactType?: string })[] = [];
  for await (const descriptor of manifestsOf(store, { entries, signal })) {
    const { subject, artifactType, annotations } = await manifestFacts(store, { descriptor, signal });
    if (subject?.digest !== digest) continue;
    found.push({
      mediaType: descriptor.mediaType,
      digest: descriptor.digest,
      size: descriptor.size,
      ...(artifactType === undefined ? {} : { artifactType }),
      ...(annotations === undefined ? {} : { annotations }),
    });
  }
  return found;
}

/** As many as fit into `limit` bytes of JSON, but at least one. */
function firstPage<T>(all: readonly T[], limit: number): readonly T[] {
  let size = 0;
  const end = all.findIndex((item, position) => {
    size += Buffer.byteLength(JSON.stringify(item)) + 1;
    return position > 0 && size > limit;
  });
  return end < 0 ? all : all.slice(0, end);
}

function linkAfter({ url }: Exchange, digest: string): string {
  const query = new URLSearchParams(url.searchParams);
  query.set('last', digest);
  return `<${url.pathname}?${query}>; rel="next"`;
}
