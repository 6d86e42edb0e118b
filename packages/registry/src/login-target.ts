import { ImageError } from '@ocijs/image';
import { keyHostname } from './auth/docker-config.ts';
import { canonicalRegistry, checkRepository, registryHost } from './names.ts';

/** What credentials are for. */
export interface LoginTarget {
  /** `HOST[:PORT]`, or `docker.io`. */
  readonly registry: string;
  /** Only for repositories below it; podman's files know such entries, Docker and helpers do not. */
  readonly namespace: string | undefined;
  /** Both together. */
  readonly name: string;
}

/**
 * Reads `HOST[:PORT]`, `HOST[:PORT]/NAMESPACE`, or a registry's URL as Docker's old versions wanted it.
 * Throws ERR_OCI_REFERENCE_INVALID.
 */
export function parseLoginTarget(text: string): LoginTarget {
  // Whoever types USER:PASSWORD@HOST must not find the password in an error message.
  if (text.includes('@')) {
    throw new ImageError('ERR_OCI_REFERENCE_INVALID', 'registry name of a login holds an @', {
      hint: 'log in to HOST[:PORT]; give the user with --username',
    });
  }
  const isUrl = /^https?:\/\//i.test(text);
  const [host = '', ...rest] = isUrl ? [keyHostname(text)] : text.split('/');
  registryHost(host);
  const registry = canonicalRegistry(host);
  const path = rest.filter((part) => part !== '').join('/');
  const namespace = path === '' || path === 'v1' || path === 'v2' ? undefined : checkRepository(path);
  return { registry, namespace, name: namespace === undefined ? registry : `${registry}/${namespace}` };
}
