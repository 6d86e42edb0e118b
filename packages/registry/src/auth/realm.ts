import { RegistryError } from '../errors.ts';
import { addressKind, isForbiddenTarget, isLoopbackHost, isPrivateHost } from '../transport/address.ts';
import { redactUrl } from '../transport/redact.ts';

/**
 * Decides whether a token service may be asked, since it will see the credentials and is named by the
 * registry: https unless the registry itself is reached by plain HTTP, and no private, loopback or link-local
 * address unless the registry is on such a network too. Throws ERR_OCI_REGISTRY_REDIRECT_REFUSED.
 */
export function checkRealm(realm: string, origin: URL): URL {
  const url = URL.parse(realm);
  if (url === null) throw refuse('is not a URL', { origin });
  url.hash = '';
  if (url.username !== '' || url.password !== '')
    throw refuse('contains a user or password', { origin, url });
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && origin.protocol === 'http:')) {
    throw refuse('does not use https', { origin, url });
  }
  if (isLoopbackHost(origin.host)) return url;
  if (url.hostname === origin.hostname) return url;
  const kind = addressKind(url.hostname);
  if (isForbiddenTarget(url.hostname)) throw refuse('is at a link-local address', { origin, url });
  if (isLoopbackHost(url.host)) throw refuse('is on this machine', { origin, url });
  if (kind === 'private' && !isPrivateHost(origin.host))
    throw refuse('is at a private address', { origin, url });
  return url;
}

function refuse(
  reason: string,
  { origin, url }: { readonly origin: URL; readonly url?: URL },
): RegistryError {
  const name = url === undefined ? '' : ` ${redactUrl(url)}`;
  return new RegistryError(
    'ERR_OCI_REGISTRY_REDIRECT_REFUSED',
    `token service${name} named by ${origin.host} ${reason}`,
    { url: redactUrl(url ?? origin), hint: 'no credentials were sent; tell the operator of the registry' },
  );
}
