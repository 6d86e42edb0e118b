import { RegistryError } from '../errors.ts';
import { addressKind, isForbiddenTarget, isLoopbackHost } from './address.ts';
import { redactUrl } from './redact.ts';

/** Where a URL that a registry sent us came from. */
export interface TargetContext {
  /** The URL whose answer names the target. */
  readonly from: URL;
  /** `HOST[:PORT]` of the registry the person named. */
  readonly registry: string;
  /** For messages: `redirect`, `upload location`, … */
  readonly what: string;
}

/**
 * Resolves a URL from a registry's answer and refuses it (ERR_OCI_REGISTRY_REDIRECT_REFUSED) when a request
 * there could do harm: another protocol, a user or password in it, a step from https down to http, this
 * machine or a metadata service, unless the registry itself is on this machine.
 */
export function resolveTarget(target: string, context: TargetContext): URL {
  const url = URL.parse(target, context.from.href);
  if (url === null) throw refuse('is not a URL', context);
  url.hash = '';
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refuse('is not http', { ...context, url });
  if (url.username !== '' || url.password !== '')
    throw refuse('contains a user or password', { ...context, url });
  if (context.from.protocol === 'https:' && url.protocol === 'http:') {
    throw refuse('goes from https to http', { ...context, url });
  }
  if (!isLoopbackHost(context.registry)) {
    if (isForbiddenTarget(url.hostname)) throw refuse('points to a link-local address', { ...context, url });
    if (isLoopbackHost(url.host) || addressKind(url.hostname) === 'loopback') {
      throw refuse('points to this machine', { ...context, url });
    }
  }
  return url;
}

/**
 * Resolves an upload location or page link. Registries behind a TLS proxy often write `http:` for their own
 * host; since the origin is known, such a URL is read with the origin's scheme.
 */
export function resolveOwnTarget(target: string, context: TargetContext): URL {
  const url = URL.parse(target, context.from.href);
  if (url !== null && url.protocol === 'http:' && context.from.protocol === 'https:') {
    if (url.hostname === context.from.hostname && (url.port === '' || url.port === context.from.port)) {
      url.protocol = 'https:';
      url.port = context.from.port;
      return resolveTarget(url.href, context);
    }
  }
  return resolveTarget(target, context);
}

function refuse(reason: string, context: TargetContext & { readonly url?: URL }): RegistryError {
  const { what, from, url } = context;
  const target = url === undefined ? '' : ` to ${redactUrl(url)}`;
  return new RegistryError(
    'ERR_OCI_REGISTRY_REDIRECT_REFUSED',
    `${what}${target} from ${from.host} ${reason}`,
    {
      url: redactUrl(url ?? from),
      hint: 'the registry, or something in front of it, sends requests where they must not go',
    },
  );
}
