import { endpoints } from './endpoints.ts';
import { limits } from './limits.ts';
import { type CallOptions, pullScopes } from './manifests.ts';
import { readPagedList } from './paging.ts';
import type { Session } from './session.ts';

/** Lists a repository's tags (distribution-spec "Listing tags"), in the registry's order. */
export function tags(
  session: Session,
  { repository, signal }: CallOptions & { readonly repository: string },
): Promise<string[]> {
  return readPagedList(session, {
    target: endpoints.tags(repository, limits.namesPerPage),
    what: `tags of ${repository}`,
    property: 'tags',
    scopes: pullScopes(repository),
    signal,
  });
}
