import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { isIPv6 } from 'node:net';
import { createLayout, openLayout, type Store } from '@ocijs/image';
import { RegistryError } from '../errors.ts';
import { createGatekeeper, type RegistryAuth } from './auth/gatekeeper.ts';
import { handle } from './handle.ts';
import { defaultServerLimits, type ServerLimits } from './limits.ts';
import { baseRepositoryOf } from './names.ts';
import { createProtection } from './protection.ts';
import { createUploads } from './uploads.ts';

/** What {@link startRegistry} serves, where, and to whom. */
export interface StartRegistryOptions {
  /** The store to serve; it stays open when the server closes. */
  readonly store?: Store;
  /** Instead of `store`: the OCI layout to serve, made when missing. */
  readonly directory?: string;
  /** Address to listen on; default 127.0.0.1. */
  readonly host?: string;
  /** Port to listen on; default 0, any free one. */
  readonly port?: number;
  /** Refuses everything that would change the layout. */
  readonly readOnly?: boolean;
  /**
   * Refuses manifests that refer to blobs or manifests which are not there, with `MANIFEST_BLOB_UNKNOWN`. Default false: the
   * specification lets a registry take them, and an index of which only some platforms were brought along is common.
   */
  readonly requireContent?: boolean;
  readonly auth?: RegistryAuth;
  /** Speaks HTTPS. Default: plain HTTP. */
  readonly tls?: RegistryTls;
  readonly limits?: Partial<ServerLimits>;
  /** Closes the server when aborted. */
  readonly signal?: AbortSignal | undefined;
  /** Told of each finished request. */
  readonly onRequest?: (request: FinishedRequest) => void;
  /** Told of failures of the server itself, such as a full disk; the client only learns that there was one. */
  readonly onError?: (error: unknown) => void;
}

/** What a server proves itself with, in PEM. */
export interface RegistryTls {
  /** The certificate, followed by those that lead to the authority. */
  readonly certificate: string | Uint8Array;
  readonly key: string | Uint8Array;
}

/** Stands in for the server's own address, of which only the path matters. */
const origin = 'http://registry.invalid';

/** One line of an access log. */
export interface FinishedRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly status: number;
  readonly durationMs: number;
}

/** A server that listens. */
export interface RunningRegistry extends AsyncDisposable {
  /** For example `http://127.0.0.1:5000`, or with `tls` `https://…`. */
  readonly url: string;
  /** For image references, for example `127.0.0.1:5000`. */
  readonly host: string;
  readonly port: number;
  /** Stops listening, gives running requests a moment, then cuts them. Idempotent. */
  close(): Promise<void>;
}

/**
 * Serves an OCI layout by distribution-spec 1.1 and what its main branch adds. What is pushed to `team/app:v1` is named so in
 * `index.json`, by digest `team/app@sha256:…`. Names of other origin are pullable too: `docker.io/library/debian:12`
 * as itself and as `library/debian:12`, `localhost:5000/app:v1` as `app:v1`, and a plain `v1` as tag of the repository that is
 * called like the directory, in lower case. Where two names meet, the server's own wins, then Docker Hub's, then the
 * first in the index. All repositories share their blobs; a manifest belongs to the repositories with a name that
 * leads to it, and when its last tag moves or goes it gets one by digest, so that it stays until it is deleted itself.
 *
 * Rejects with ERR_OCI_REGISTRY_CERTIFICATE_INVALID, with the system's error when the address cannot be listened on, and
 * with `signal.reason` when aborted.
 */
export async function startRegistry(options: StartRegistryOptions): Promise<RunningRegistry> {
  const { signal, host: address = '127.0.0.1', port = 0 } = options;
  signal?.throwIfAborted();
  const resources = new AsyncDisposableStack();
  const store = options.store ?? resources.use(await openDirectory(options));
  const limits = { ...defaultServerLimits, ...options.limits };
  const { auth, readOnly = false, requireContent = false, tls, onError } = options;
  const uploads = resources.use(createUploads(store, { limits, onError }));
  const protection = resources.use(createProtection(store));
  const policy = { gatekeeper: createGatekeeper(auth), readOnly, onError };
  const stopping = new AbortController();
  const baseRepository = baseRepositoryOf(store.directory);

  const listener: RequestListener = (request, response) => {
    const started = performance.now();
    const gone = new AbortController();
    const path = request.url ?? '/';
    // Once all of a blob is here it is hashed and synced, and nothing is heard for as long as that takes. The next request on
    // the connection has the limit again.
    if (request.method !== 'GET' && request.method !== 'HEAD')
      request.once('end', () => request.socket.setTimeout(0));
    response.once('close', () => {
      gone.abort(new Error('the client went away'));
      const { statusCode: status } = response;
      options.onRequest?.({
        method: request.method ?? '',
        path,
        status,
        durationMs: performance.now() - started,
      });
    });
    // A target that is no path, such as `//`, leads to an endpoint that does not exist.
    const url = URL.parse(path, origin) ?? new URL(origin);
    const both = AbortSignal.any([gone.signal, stopping.signal]);
    const about = { store, uploads, protection, limits, baseRepository, requireContent };
    handle({ request, response, url, ...about, signal: both }, policy).catch((error: unknown) => {
      options.onError?.(error);
      response.destroy();
    });
  };
  let server: Server;
  try {
    server = createHttpServer(tls, listener);
    server.timeout = limits.socketIdle;
    await listen(server, { address, port });
  } catch (error) {
    await resources.disposeAsync();
    throw error;
  }

  const bound = server.address();
  const actualPort = typeof bound === 'object' && bound !== null ? bound.port : port;
  const host = `${isIPv6(address) ? `[${address}]` : address}:${actualPort}`;
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= (async () => {
      signal?.removeEventListener('abort', onAbort);
      await stop(server, { stopping, grace: signal?.aborted === true ? 0 : limits.closeGrace });
      await resources.disposeAsync();
    })();
    return closing;
  };
  const onAbort = (): void => void close();
  signal?.addEventListener('abort', onAbort, { once: true });
  const url = `${tls === undefined ? 'http' : 'https'}://${host}`;
  return { url, host, port: actualPort, close, [Symbol.asyncDispose]: close };
}

function openDirectory({ directory, readOnly }: StartRegistryOptions): Promise<Store> {
  if (directory === undefined) throw new TypeError('either store or directory is needed');
  return readOnly === true ? openLayout(directory) : createLayout(directory);
}

function createHttpServer(tls: RegistryTls | undefined, listener: RequestListener): Server {
  // An upload takes as long as it takes; `limits.socketIdle` ends those that stand still.
  const settings = { requestTimeout: 0, keepAliveTimeout: 5000 };
  if (tls === undefined) return createServer(settings, listener);
  const bytes = (pem: string | Uint8Array): Buffer => Buffer.from(pem);
  try {
    return createSecureServer({ ...settings, cert: bytes(tls.certificate), key: bytes(tls.key) }, listener);
  } catch (error) {
    throw new RegistryError('ERR_OCI_REGISTRY_CERTIFICATE_INVALID', 'certificate or key cannot be used', {
      cause: error,
      hint: 'both are PEM files, and the key is that of the certificate',
    });
  }
}

function listen(server: Server, { address, port }: { address: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

async function stop(
  server: Server,
  { stopping, grace }: { stopping: AbortController; grace: number },
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => {
    stopping.abort(new Error('the registry is closing'));
    server.closeAllConnections();
  }, grace);
  await closed;
  clearTimeout(timer);
}
