import { parseReference } from '@ocijs/image';
import type { RegistryOptions } from './options.ts';
import { createSession } from './session.ts';
import { tags } from './tags.ts';

/**
 * Lists the tags of a repository (`debian`, `HOST[:PORT]/NAME`), in the registry's order; at most a million.
 */
export async function listTags(repository: string, options: RegistryOptions = {}): Promise<string[]> {
  options.signal?.throwIfAborted();
  const reference = parseReference(repository);
  await using session = createSession(reference.registry, { ...options, repository: reference.repository });
  return await tags(session, { repository: reference.repository, signal: options.signal });
}
