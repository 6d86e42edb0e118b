import { RegistryError } from '../errors.ts';
import { limits, timeouts } from '../limits.ts';
import type { Credentials } from '../options.ts';
import { redactUrl } from '../transport/redact.ts';
import type { HttpRequest, Transport } from '../transport/request.ts';
import { type HttpResponse, readBody } from '../transport/response.ts';
import { responseError } from '../transport/response-error.ts';
import { basicHeader } from './basic.ts';

/** A bearer token and the time (milliseconds since 1970) until which it is used. */
export interface BearerToken {
  readonly token: string;
  readonly expiresAt: number;
}

/** What a token is asked for. */
export interface TokenRequest {
  /** Already checked by `checkRealm`. */
  readonly realm: URL;
  readonly service: string | undefined;
  readonly scopes: readonly string[];
  readonly credentials: Exclude<Credentials, { readonly registryToken: string }> | undefined;
  /**
   * Aborted when the client is closed; a token is shared by many requests, so that none of their signals
   * fits.
   */
  readonly closed: AbortSignal;
}

const clientId = 'ocijs';
/** What a token without `expires_in` is valid for (distribution's token specification). */
const defaultLifetimeSeconds = 60;
/** A token is renewed this long before it ends, but never earlier than after half of its life. */
const marginMs = 10_000;

/**
 * Asks a token service: GET, anonymous or with Basic; for an identity token the OAuth2 refresh grant by POST.
 */
export async function requestToken(transport: Transport, request: TokenRequest): Promise<BearerToken> {
  const { realm, credentials } = request;
  const http =
    credentials !== undefined && 'identityToken' in credentials
      ? refreshGrant(request, credentials.identityToken)
      : tokenGet(request, credentials);
  const response = await send(transport, { http, closed: request.closed });
  if (response.status !== 200) {
    throw await responseError(response, {
      what: `token for ${realm.host}`,
      authorization: http.authorization,
      secrets: credentials !== undefined && 'identityToken' in credentials ? [credentials.identityToken] : [],
    });
  }
  return readToken(response);
}

async function send(
  transport: Transport,
  { http, closed }: { readonly http: HttpRequest; readonly closed: AbortSignal },
): Promise<HttpResponse> {
  const late = AbortSignal.timeout(timeouts.token);
  try {
    return await transport.send({ ...http, signal: AbortSignal.any([closed, late]) });
  } catch (error) {
    if (closed.aborted || !late.aborted) throw error;
    throw new RegistryError(
      'ERR_OCI_REGISTRY_UNAVAILABLE',
      `token service ${http.url.host} does not answer`,
      {
        url: redactUrl(http.url),
        cause: error,
        retryable: true,
      },
    );
  }
}

function tokenGet(
  { realm, service, scopes }: TokenRequest,
  credentials: { readonly username: string; readonly password: string } | undefined,
): HttpRequest {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  if (credentials === undefined) return { method: 'GET', url };
  url.searchParams.set('client_id', clientId);
  url.searchParams.set('account', credentials.username);
  return { method: 'GET', url, authorization: basicHeader(credentials) };
}

function refreshGrant({ realm, service, scopes }: TokenRequest, identityToken: string): HttpRequest {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    refresh_token: identityToken,
    client_id: clientId,
    service: service ?? realm.host,
    ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
  });
  return {
    method: 'POST',
    url: realm,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(form.toString()),
  };
}

async function readToken(response: HttpResponse): Promise<BearerToken> {
  const received = Date.now();
  const body = await readBody(response, { limit: limits.tokenBytes, what: 'token answer' });
  const answer = parseAnswer(body);
  const { token, access_token: accessToken, expires_in: expiresIn } = answer;
  const value = typeof token === 'string' && token !== '' ? token : accessToken;
  if (typeof value !== 'string' || !/^[\u0021-\u007e]+$/.test(value)) {
    throw new RegistryError('ERR_OCI_REGISTRY_PROTOCOL', `token service ${response.url.host} sent no token`, {
      url: redactUrl(response.url),
    });
  }
  const seconds = typeof expiresIn === 'number' && expiresIn > 0 ? expiresIn : defaultLifetimeSeconds;
  const lifetimeMs = seconds * 1000;
  return { token: value, expiresAt: received + lifetimeMs - Math.min(marginMs, lifetimeMs / 2) };
}

function parseAnswer(body: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
