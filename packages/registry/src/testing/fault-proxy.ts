import { once } from 'node:events';
import { Agent, createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { RegistryTls } from '../server/index.ts';
import type { Fault, FaultPlan, SeenRequest } from './fault.ts';
import { Cut } from './faulty-body.ts';
import { forward } from './forward.ts';
import { withoutSessions } from './seeded.ts';

/** Options of {@link startFaultProxy}. */
export interface FaultProxyOptions {
  /** What goes wrong; can be replaced later. Default: nothing. */
  readonly plan?: FaultPlan | undefined;
  /** Speaks HTTPS to its clients. */
  readonly tls?: RegistryTls | undefined;
  /** The origin that a `redirect` leads to. Default: that of the registry behind. */
  readonly elsewhere?: string | undefined;
}

/** One request, and what went wrong with it. */
export interface RecordedRequest extends SeenRequest {
  readonly fault: Fault | undefined;
}

/** A proxy that listens. */
export interface FaultProxy extends AsyncDisposable {
  /** For example `http://127.0.0.1:5000`. */
  readonly url: string;
  /** For image references, for example `127.0.0.1:5000`. */
  readonly host: string;
  /** Every request so far. */
  readonly requests: readonly RecordedRequest[];
  /** What goes wrong from now on; undefined for nothing. */
  plan: FaultPlan | undefined;
  /** Cuts all connections. Idempotent. */
  close(): Promise<void>;
}

/**
 * Stands before a registry that is reached by plain HTTP at `target` (an origin such as `http://127.0.0.1:5000`), on a free
 * port of 127.0.0.1, and does wrong what the plan says.
 */
export async function startFaultProxy(target: string, options: FaultProxyOptions = {}): Promise<FaultProxy> {
  const behind = new URL(target);
  if (behind.protocol !== 'http:') throw new TypeError('the registry behind a fault proxy speaks plain HTTP');
  const { tls, elsewhere = behind.origin } = options;
  const agent = new Agent({ keepAlive: false });
  const counts = new Map<string, number>();
  const requests: RecordedRequest[] = [];
  const closing = new AbortController();

  const answer: RequestListener = (request, response) => {
    const { method = 'GET', url: path = '/', headers } = request;
    const key = `${method} ${withoutSessions(path)}`;
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    const seen: SeenRequest = { method, path, headers, count };
    const fault = proxy.plan?.(seen);
    requests.push({ ...seen, fault });

    const cut = (): void => request.socket.destroySoon();
    if (fault?.kind === 'drop' && fault.when === 'before') return cut();
    if (fault?.kind === 'status' || fault?.kind === 'redirect') {
      // Whoever sends a body may still be writing: the answer must not become a reset.
      request.resume();
      request.once('end', () => sendFault(response, { fault, method, location: elsewhere + path }));
      return;
    }
    const gone = new AbortController();
    response.once('close', () => gone.abort(new Error('the client went away')));
    const signal = AbortSignal.any([gone.signal, closing.signal]);
    const secure = tls !== undefined;
    forward({ request, response, fault, target: behind, agent, secure, signal }).catch((error: unknown) => {
      if (error instanceof Cut || response.headersSent || signal.aborted) return cut();
      sendFault(response, { fault: { kind: 'status', status: 502 }, method, location: '' });
    });
  };

  const server = tls === undefined ? createServer(answer) : createSecure(tls, answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('no port');
  const host = `127.0.0.1:${address.port}`;
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= (async () => {
      closing.abort(new Error('the proxy is closing'));
      const ended = once(server, 'close');
      server.close();
      server.closeAllConnections();
      agent.destroy();
      await ended;
    })();
    return closed;
  };
  const proxy: FaultProxy = {
    url: `${tls === undefined ? 'http' : 'https'}://${host}`,
    host,
    requests,
    plan: options.plan,
    close,
    [Symbol.asyncDispose]: close,
  };
  return proxy;
}

function createSecure({ certificate, key }: RegistryTls, listener: RequestListener): Server {
  return createSecureServer({ cert: Buffer.from(certificate), key: Buffer.from(key) }, listener);
}

const codes: Readonly<Record<number, string>> = {
  401: 'UNAUTHORIZED',
  403: 'DENIED',
  429: 'TOOMANYREQUESTS',
};

function sendFault(
  response: ServerResponse,
  {
    fault,
    method,
    location,
  }: {
    readonly fault: Extract<Fault, { readonly kind: 'status' | 'redirect' }>;
    readonly method: string;
    readonly location: string;
  },
): void {
  if (fault.kind === 'redirect') {
    response.writeHead(fault.status ?? 307, { location, 'content-length': 0 }).end();
    return;
  }
  const { status, retryAfterSeconds, code = codes[status] ?? 'UNKNOWN', headers } = fault;
  const body = Buffer.from(JSON.stringify({ errors: [{ code, message: 'a fault on purpose' }] }));
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': String(body.length),
    ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
    ...headers,
  });
  response.end(method === 'HEAD' ? undefined : body);
}
