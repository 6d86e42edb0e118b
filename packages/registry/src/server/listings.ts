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

/** GET of the manifests that have `digest` as their subject (distribution-spec 1.1, "Listing Referrers"). */
export async function listReferrers(
  exchange: Exchange,
  { repository, digest }: { readonly repository: string; readonly digest: string },
): Promise<void> {
  const { store, signal } = exchange;
  const wantedType = exchange.url.searchParams.get('artifactType');
  const entries = await entriesOf(exchange, repository);
  const manifests: Descriptor[] = [];
  for await (const descriptor of manifestsOf(store, { entries, signal })) {
    const { subject, artifactType, annotations } = await manifestFacts(store, { descriptor, signal });
    if (subject?.digest !== digest || (wantedType !== null && wantedType !== artifactType)) continue;
    manifests.push({
      mediaType: descriptor.mediaType,
      digest: descriptor.digest,
      size: descriptor.size,
      ...(artifactType === undefined ? {} : { artifactType }),
      ...(annotations === undefined ? {} : { annotations }),
    });
  }
  sendJson(
    exchange,
    { schemaVersion: 2, mediaType: MediaType.index, manifests },
    {
      'content-type': MediaType.index,
      ...(wantedType === null ? {} : { 'oci-filters-applied': 'artifactType' }),
    },
  );
}
