import { Readable } from 'node:stream';
import { RegistryError } from '../errors.ts';
import { limits, timeouts } from '../limits.ts';
import { connectionError } from './connection-error.ts';
import type { Dispatchers } from './dispatcher.ts';
import { redactUrl } from './redact.ts';
import { resolveTarget } from './redirect.ts';
import { type HttpResponse, toResponse } from './response.ts';

/** The content of a request: bytes, or a source that can be opened again when the request is repeated. */
export type RequestBody = Uint8Array | (() => AsyncIterable<Uint8Array>);

/** One request as the caller sees it; redirects are followed inside. */
export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent to the URL's own origin only; not restored when redirects come back to it. */
  readonly authorization?: string | undefined;
  /** The same for headers that a configuration adds, which may hold secrets. */
  readonly ownHeaders?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly body?: RequestBody | undefined;
  /** The content is none that only this origin may know: a 307 or 308 may take it elsewhere, without credentials. */
  readonly contentMayLeave?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Sends requests. */
export interface Transport extends AsyncDisposable {
  send(request: HttpRequest): Promise<HttpResponse>;
  /** Gives a chunk of an answer's body back when its bytes are not needed any more, which saves memory. */
  recycle(chunk: Uint8Array): void;
}

const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Makes a transport for one registry. */
export function createTransport(options: {
  readonly registry: string;
  readonly userAgent: string;
  readonly dispatchers: Dispatchers;
}): Transport {
  const { registry, userAgent, dispatchers } = options;
  return {
    send: (request) =>
      follow(request, { registry, send: (hop) => sendOnce(hop, { userAgent, dispatchers }) }),
    recycle: (chunk) => dispatchers.buffers.recycle(chunk),
    [Symbol.asyncDispose]: () => dispatchers.destroy(),
  };
}

interface FollowOptions {
  readonly registry: string;
  send(request: HttpRequest): Promise<HttpResponse>;
}

/** Follows redirects by our own policy; a content that may be secret, as a token request's, stays at its origin. */
async function follow(request: HttpRequest, { registry, send }: FollowOptions): Promise<HttpResponse> {
  let current = request;
  for (let hop = 0; hop <= limits.redirects; hop++) {
    const response = await send(current);
    if (!redirectStatuses.has(response.status)) return response;
    await response.discard();
    const location = response.header('location');
    if (location === undefined) throw badRedirect('has no location', response);
    const url = resolveTarget(location, { from: current.url, registry, what: 'redirect' });
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    const isSameOrigin = url.origin === current.url.origin;
    const staysHere = !isSameOrigin && request.contentMayLeave !== true;
    if (!isRead && (response.status < 307 || staysHere)) {
      throw badRedirect(`of a ${request.method} request is not followed`, response);
    }
    const secrets = { authorization: undefined, ownHeaders: undefined };
    current = { ...current, url, ...(isSameOrigin ? {} : secrets) };
  }
  throw new RegistryError(
    'ERR_OCI_REGISTRY_REDIRECT_REFUSED',
    `more than ${limits.redirects} redirects from ${request.url.host}`,
    { url: redactUrl(request.url), limit: limits.redirects },
  );
}

function badRedirect(reason: string, response: HttpResponse): RegistryError {
  return new RegistryError(
    'ERR_OCI_REGISTRY_REDIRECT_REFUSED',
    `redirect from ${response.url.host} ${reason}`,
    {
      url: redactUrl(response.url),
      status: response.status,
    },
  );
}

async function sendOnce(
  request: HttpRequest,
  { userAgent, dispatchers }: { readonly userAgent: string; readonly dispatchers: Dispatchers },
): Promise<HttpResponse> {
  const { method, url, authorization, body, signal } = request;
  signal?.throwIfAborted();
  const dispatcher = await dispatchers.get(url);
  signal?.throwIfAborted();
  const content = body === undefined ? undefined : openBody(body);
  try {
    const answer = await dispatcher.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      highWaterMark: limits.readAheadBytes,
      method,
      headers: {
        'user-agent': userAgent,
        ...mutable(request.ownHeaders ?? {}),
        'accept-encoding': 'identity',
        ...request.headers,
        ...(authorization === undefined ? {} : { authorization }),
      },
      ...(content === undefined ? {} : { body: content.body, headersTimeout: timeouts.uploadHeaders }),
      ...(signal === undefined ? {} : { signal }),
    });
    return toResponse(answer, { url, signal });
  } catch (error) {
    signal?.throwIfAborted();
    const own = content?.failure();
    if (own !== undefined) throw own.error;
    throw connectionError(error, url);
  }
}

function mutable(headers: Readonly<Record<string, readonly string[]>>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(headers).map(([name, values]) => [name, [...values]]));
}

interface OpenBody {
  readonly body: Uint8Array | Readable;
  /** What the source of the content threw: not the connection's fault. */
  failure(): { readonly error: unknown } | undefined;
}

function openBody(body: RequestBody): OpenBody {
  if (typeof body !== 'function') return { body, failure: () => undefined };
  let failure: { readonly error: unknown } | undefined;
  const source = async function* (): AsyncGenerator<Uint8Array> {
    try {
      yield* body();
    } catch (error) {
      failure = { error };
      throw error;
    }
  };
  return { body: Readable.from(source(), { objectMode: false }), failure: () => failure };
}
