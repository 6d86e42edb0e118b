import type { Dispatcher } from 'undici';
import type { RegistryEnvironment } from '../env.ts';
import { timeouts } from '../limits.ts';
import { isLoopbackHost } from './address.ts';
import { createLookup } from './lookup.ts';
import { createReadBuffers, type ReadBuffers } from './read-buffers.ts';
import type { TlsMaterial } from './tls.ts';

/** The connections of one client. */
export interface Dispatchers {
  /** What the connections read into. */
  readonly buffers: ReadBuffers;
  /** The connections for a URL. A client certificate is shown to the registry's own host only. */
  get(url: URL): Promise<Dispatcher>;
  /** Breaks all connections. Idempotent. */
  destroy(): Promise<void>;
}

/** What {@link createDispatchers} needs to know. */
export interface DispatcherOptions {
  /** `HOST[:PORT]` of the registry. */
  readonly host: string;
  readonly environment: RegistryEnvironment;
  /** How long a connection to the registry may take, in milliseconds. */
  readonly connectTimeoutMs?: number | undefined;
  loadTls(): Promise<TlsMaterial>;
}

type Role = 'registry' | 'loopback' | 'elsewhere';

/**
 * Keeps one pool of connections for the registry and one for other hosts (token service, content delivery).
 * HTTP/1.1 only: blobs are few and large, so that streams sharing one connection have nothing to win, and
 * several registries and proxies limit or break HTTP/2 uploads. undici is loaded at the first request.
 */
export function createDispatchers(options: DispatcherOptions): Dispatchers {
  const made = new Map<Role, Promise<Dispatcher>>();
  const buffers = createReadBuffers();
  let destroyed = false;
  return {
    buffers,
    get(url) {
      if (destroyed) return Promise.reject(new Error('the registry client is closed'));
      const role = roleOf(url, options.host);
      const existing = made.get(role);
      if (existing !== undefined) return existing;
      const dispatcher = createDispatcher(role, { ...options, buffers });
      made.set(role, dispatcher);
      return dispatcher;
    },
    async destroy() {
      destroyed = true;
      const results = await Promise.allSettled(made.values());
      await Promise.all(
        results.map((result) => (result.status === 'fulfilled' ? result.value.destroy() : undefined)),
      );
      made.clear();
    },
  };
}

function roleOf(url: URL, host: string): Role {
  if (url.host === new URL(`${url.protocol}//${host}`).host) return 'registry';
  return isLoopbackHost(url.host) ? 'loopback' : 'elsewhere';
}

async function createDispatcher(
  role: Role,
  options: DispatcherOptions & { readonly buffers: ReadBuffers },
): Promise<Dispatcher> {
  const [undici, tls] = await Promise.all([import('undici'), options.loadTls()]);
  const { httpProxy, httpsProxy, noProxy } = options.environment;
  const guarded = role === 'elsewhere' && !isLoopbackHost(options.host);
  const requestTls = {
    rejectUnauthorized: tls.rejectUnauthorized,
    ...(tls.ca === undefined ? {} : { ca: [...tls.ca] }),
    ...(tls.client === undefined || role !== 'registry'
      ? {}
      : { cert: [...tls.client.cert], key: [...tls.client.key] }),
  };
  const ownTimeout = role === 'registry' ? options.connectTimeoutMs : undefined;
  const timeout = ownTimeout ?? timeouts.connect;
  const settings = {
    allowH2: false,
    headersTimeout: timeouts.headers,
    bodyTimeout: timeouts.body,
    connect: {
      ...requestTls,
      ...options.buffers.options,
      timeout,
      lookup: createLookup({ guarded }),
      noDelay: true,
    },
  };
  const isLocal = role === 'loopback' || (role === 'registry' && isLoopbackHost(options.host));
  // As in Go's tools, no proxy is asked for this machine.
  if (isLocal || (httpProxy === '' && httpsProxy === '')) return new undici.Agent(settings);
  return new undici.EnvHttpProxyAgent({ ...settings, requestTls, httpProxy, httpsProxy, noProxy });
}
