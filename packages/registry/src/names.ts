import { isIP } from 'node:net';
import { ImageError } from '@ocijs/image';
import { isLoopbackHost } from './transport/address.ts';

const hostForm = /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;
const repositoryForm = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const tagForm = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const hubNames: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);

/** The one name under which a registry is known: all of Docker Hub's become `docker.io`. */
export function canonicalRegistry(registry: string): string {
  const lower = registry.toLowerCase();
  return hubNames.has(lower) ? 'docker.io' : lower;
}

/** The host that serves a registry's API. Throws ERR_OCI_REFERENCE_INVALID for what is not `HOST[:PORT]`. */
export function registryHost(registry: string): string {
  if (!hostForm.test(registry) || URL.parse(`https://${registry}`) === null) {
    throw new ImageError('ERR_OCI_REFERENCE_INVALID', `registry name "${registry}" is not HOST[:PORT]`, {
      reference: registry,
    });
  }
  const canonical = canonicalRegistry(registry);
  return canonical === 'docker.io' ? 'registry-1.docker.io' : canonical;
}

/**
 * The scheme a registry's name suggests: plain HTTP only for this machine, where TLS is tried first all the
 * same.
 */
export function defaultScheme(registry: string): 'http' | 'https' {
  return isLoopbackHost(registry) ? 'http' : 'https';
}

/** Throws ERR_OCI_REFERENCE_INVALID unless the name follows the distribution specification's grammar. */
export function checkRepository(repository: string): string {
  if (repository.length <= 255 && repositoryForm.test(repository)) return repository;
  throw new ImageError('ERR_OCI_REFERENCE_INVALID', `repository name "${repository}" is not valid`, {
    reference: repository,
    hint: 'repository names are lower-case letters and digits, with single . _ - and / between them',
  });
}

/** True for a well-formed tag. */
export function isTag(text: string): boolean {
  return tagForm.test(text);
}

/** The port in `HOST:PORT`, or undefined. */
export function portOf(host: string): number | undefined {
  if (isIP(host) === 6) return undefined;
  const port = /:(\d+)$/.exec(host)?.[1];
  return port === undefined ? undefined : Number(port);
}
