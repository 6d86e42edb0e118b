import { endpoints } from './endpoints.ts';
import { RegistryError } from './errors.ts';
import { limits } from './limits.ts';
import type { RegistryOptions } from './options.ts';
import { readPagedList } from './paging.ts';
import { createSession } from './session.ts';

/**
 * Lists the repositories of a registry, `HOST[:PORT]`, in the registry's order; at most a million. The catalog
 * is an extension of the distribution specification: registries show as much of it as they like. Throws
 * ERR_OCI_REGISTRY_UNSUPPORTED where there is none.
 */
export async function listRepositories(registry: string, options: RegistryOptions = {}): Promise<string[]> {
  const { signal } = options;
  signal?.throwIfAborted();
  await using session = createSession(registry, options);
  try {
    return await readPagedList(session, {
      target: endpoints.catalog(limits.namesPerPage),
      what: `repositories of ${session.registry}`,
      property: 'repositories',
      scopes: ['registry:catalog:*'],
      signal,
    });
  } catch (error) {
    if (!(error instanceof RegistryError) || error.code !== 'ERR_OCI_REGISTRY_NOT_FOUND') throw error;
    throw new RegistryError(
      'ERR_OCI_REGISTRY_UNSUPPORTED',
      `${session.registry} does not list its repositories`,
      {
        cause: error,
        hint: 'the catalog is optional, and public registries have none; use their own search',
      },
    );
  }
}
