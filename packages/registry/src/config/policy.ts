import type { RegistryEnvironment } from '../env.ts';
import { RegistryError } from '../errors.ts';
import type { RegistryOptions } from '../options.ts';
import { loadRegistriesConf } from './load.ts';
import { findEntry } from './match.ts';

/** What the configuration says of speaking to a registry. */
export interface RegistryPolicy {
  /** Accept any certificate, and plain HTTP. */
  readonly insecure: boolean;
}

/** Throws ERR_OCI_REGISTRY_BLOCKED for what the configuration blocks. */
export async function registryPolicy(
  /** `HOST[:PORT]` or `HOST[:PORT]/REPOSITORY`. */
  name: string,
  options: Pick<RegistryOptions, 'registriesConf'> & { readonly environment: RegistryEnvironment },
): Promise<RegistryPolicy> {
  const { registries } = await loadRegistriesConf(options.environment, options);
  const match = findEntry(registries, name);
  if (match?.entry.blocked) throw blocked(name);
  return { insecure: match?.entry.insecure ?? false };
}

/** The answer to any request to what is blocked. */
export function blocked(name: string): RegistryError {
  return new RegistryError('ERR_OCI_REGISTRY_BLOCKED', `${name} is blocked by the configuration`, {
    reference: name,
    hint: 'registries.conf says blocked = true for it; ask whoever set up this machine',
  });
}
