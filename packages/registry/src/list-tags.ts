import { parseReference } from '@ocijs/image';
import type { RegistryOptions } from './options.ts';
import { createSession } from './session.ts';
import { tags } from './tags.ts';
import { sortByVersion } from './version-order.ts';

/** Options of {@link listTags}. */
export interface ListTagsOptions extends RegistryOptions {
  /** Only tags that it matches somewhere. */
  readonly filter?: RegExp | undefined;
  /**
   * `name`: by character; `version`: by Semantic Versioning's precedence, oldest first, after the tags that are
   * no versions. Default: the registry's own order.
   */
  readonly sort?: 'name' | 'version' | undefined;
}

/** Lists the tags of a repository (`debian`, `HOST[:PORT]/NAME`); at most a million. */
export async function listTags(repository: string, options: ListTagsOptions = {}): Promise<string[]> {
  const { filter, sort, signal } = options;
  signal?.throwIfAborted();
  const reference = parseReference(repository);
  await using session = createSession(reference.registry, { ...options, repository: reference.repository });
  const all = await tags(session, { repository: reference.repository, signal });
  const chosen = filter === undefined ? all : all.filter((tag) => tag.search(filter) >= 0);
  if (sort === 'version') return sortByVersion(chosen);
  return sort === 'name' ? chosen.sort() : chosen;
}
