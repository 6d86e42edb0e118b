import { basicChallenge } from './auth/credentials.ts';
import type { Access, Gatekeeper } from './auth/gatekeeper.ts';
import { readTokenRequest } from './auth/token-request.ts';
import { deleteBlob, getBlob } from './blobs.ts';
import { type Exchange, sendJson } from './exchange.ts';
import { RequestFailure } from './failure.ts';
import { drainLimit } from './limits.ts';
import { listReferrers, listRepositories, listTags } from './listings.ts';
import { deleteManifest, getManifest, putManifest } from './manifests.ts';
import { parseRoute, type Route } from './routes.ts';
import { deleteUpload, getUpload, patchUpload, postUpload, putUpload } from './upload-requests.ts';

/** What a server was started with that matters for single requests. */
export interface Policy {
  readonly gatekeeper: Gatekeeper;
  readonly readOnly: boolean;
  /** Told of what failed in the server itself. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** Answers one request; every failure becomes an error body, never an exception. */
export async function handle(exchange: Exchange, policy: Policy): Promise<void> {
  const { response } = exchange;
  response.setHeader('docker-distribution-api-version', 'registry/2.0');
  try {
    const route = parseRoute(exchange.url.pathname);
    if (route === undefined) throw new RequestFailure(404, ['UNSUPPORTED', 'no such endpoint']);
    if (route.kind !== 'token') authorize(exchange, route, policy);
    await dispatch(exchange, route, policy);
  } catch (error) {
    if (!(error instanceof RequestFailure || exchange.signal.aborted)) policy.onError?.(error);
    await fail(exchange, error);
  }
}

type Handler = () => void | Promise<void>;

function handlersOf(exchange: Exchange, route: Route, policy: Policy): Partial<Record<string, Handler>> {
  switch (route.kind) {
    case 'token':
      return { GET: () => answerToken(exchange, policy), POST: () => answerToken(exchange, policy) };
    case 'ping':
      return { GET: () => sendJson(exchange, {}) };
    case 'catalog':
      return { GET: () => listRepositories(exchange) };
    case 'tags':
      return { GET: () => listTags(exchange, route.repository) };
    case 'referrers':
      return { GET: () => listReferrers(exchange, route) };
    case 'manifest':
      return {
        GET: () => getManifest(exchange, route),
        PUT: () => putManifest(exchange, route),
        DELETE: () => deleteManifest(exchange, route),
      };
    case 'blob':
      return {
        GET: () => getBlob(exchange, route.digest),
        DELETE: () => deleteBlob(exchange, route.digest),
      };
    case 'uploads':
      return { POST: () => postUpload(exchange, route.repository) };
    case 'upload':
      return {
        GET: () => getUpload(exchange, route),
        PATCH: () => patchUpload(exchange, route),
        PUT: () => putUpload(exchange, route),
        DELETE: () => deleteUpload(exchange, route),
      };
    default:
      return {};
  }
}

async function dispatch(exchange: Exchange, route: Route, policy: Policy): Promise<void> {
  const method = exchange.request.method ?? 'GET';
  const handlers = handlersOf(exchange, route, policy);
  const handler = handlers[method === 'HEAD' ? 'GET' : method];
  if (handler === undefined) {
    throw new RequestFailure(405, ['UNSUPPORTED', `method ${method} is not supported here`], {
      headers: { allow: Object.keys(handlers).join(', ') },
    });
  }
  if (policy.readOnly && !isRead(method) && route.kind !== 'token')
    throw new RequestFailure(405, ['UNSUPPORTED', 'this registry is read-only']);
  await handler();
}

function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

function authorize({ request, url }: Exchange, route: Route, { gatekeeper }: Policy): void {
  const challenge = gatekeeper.challenge(
    request,
    wantedAccess(route, { method: request.method ?? 'GET', url }),
  );
  if (challenge === undefined) return;
  throw new RequestFailure(401, ['UNAUTHORIZED', 'authentication required'], {
    headers: { 'www-authenticate': challenge },
  });
}

function wantedAccess(
  route: Route,
  { method, url }: { readonly method: string; readonly url: URL },
): Access[] {
  if (!('repository' in route)) return [];
  const { repository } = route;
  if (route.kind === 'uploads' || route.kind === 'upload') {
    const from = url.searchParams.get('from');
    const source: Access[] = from === null ? [] : [{ repository: from, action: 'pull' }];
    return [{ repository, action: 'push' }, ...source];
  }
  const action = isRead(method) ? 'pull' : method === 'DELETE' ? 'delete' : 'push';
  return [{ repository, action }];
}

async function answerToken(exchange: Exchange, { gatekeeper }: Policy): Promise<void> {
  if (gatekeeper.issueToken === undefined) throw new RequestFailure(404, ['UNSUPPORTED', 'no such endpoint']);
  const answer = gatekeeper.issueToken(await readTokenRequest(exchange));
  if (answer !== undefined) {
    sendJson(exchange, answer, { 'cache-control': 'no-store' });
    return;
  }
  throw new RequestFailure(401, ['UNAUTHORIZED', 'credentials are wrong'], {
    headers: { 'www-authenticate': basicChallenge },
  });
}

/** Sends the error body of the specification, or cuts the connection when an answer has begun. */
async function fail(exchange: Exchange, error: unknown): Promise<void> {
  const { request, response, signal } = exchange;
  const isDrained = await drain(exchange);
  if (response.headersSent || signal.aborted) {
    response.destroy();
    return;
  }
  const failure =
    error instanceof RequestFailure
      ? error
      : new RequestFailure(500, ['UNKNOWN', 'the registry failed internally']);
  const { code, message, detail, status, headers } = failure;
  const problem = { code, message, ...(detail === undefined ? {} : { detail }) };
  const body = Buffer.from(JSON.stringify({ errors: [problem] }));
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': body.byteLength,
    ...headers,
    ...(isDrained ? {} : { connection: 'close' }),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** Reads what is left of the body, so that the client gets the answer and not a reset; false when it is too much. */
async function drain({ request }: Exchange): Promise<boolean> {
  if (request.complete || request.destroyed || request.readableEnded) return true;
  let size = 0;
  return new Promise((resolve) => {
    request.on('data', (chunk: Buffer) => {
      size += chunk.byteLength;
      if (size <= drainLimit) return;
      request.pause();
      resolve(false);
    });
    request.once('close', () => resolve(true));
    request.once('end', () => resolve(true));
  });
}
