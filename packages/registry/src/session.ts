import { createAuthorizer } from './auth/authorizer.ts';
import { findCredentials } from './auth/keychain.ts';
import { abortable } from './concurrency.ts';
import { chooseEndpoint, type Endpoint } from './config/endpoint.ts';
import { registryPolicy } from './config/policy.ts';
import { endpointUrl, registryOrigin } from './endpoints.ts';
import { registryEnvironment } from './env.ts';
import type { RegistryError } from './errors.ts';
import { defaultConcurrency, defaultRetries, limits, timeouts } from './limits.ts';
import { canonicalRegistry, registryHost } from './names.ts';
import type { RegistryOptions } from './options.ts';
import { createDispatchers } from './transport/dispatcher.ts';
import { createPace, type Pace } from './transport/pace.ts';
import { createTransport, type HttpRequest, type RequestBody, type Transport } from './transport/request.ts';
import type { HttpResponse } from './transport/response.ts';
import { responseError } from './transport/response-error.ts';
import { createRetries, type Retries, type RetryOptions, withRetry } from './transport/retry.ts';
import { loadTlsMaterial } from './transport/tls.ts';
import { warningText } from './transport/warning.ts';

/** One request to the registry. */
export interface RegistryRequest {
  readonly method: HttpRequest['method'];
  /** A path, or the absolute URL that the registry sent for the next step. */
  readonly target: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: RequestBody | undefined;
  /** Names the object in messages. */
  readonly what: string;
  /** The statuses that are an answer; every other one throws. */
  readonly accept: readonly number[];
  readonly scopes: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/** Which unit of work is repeated. */
export interface UnitOptions {
  readonly signal?: AbortSignal | undefined;
  readonly progressed?: () => boolean;
}

/** A registry with everything that is needed to speak to it: origin, connections, credentials, retries. */
export interface Session extends AsyncDisposable {
  /** As people name it: `docker.io`, `HOST[:PORT]`. */
  readonly registry: string;
  /** `HOST[:PORT]` that serves the API; as a `hosts.toml` says once something was requested. */
  readonly host: string;
  readonly options: RegistryOptions;
  /** True once the registry asked for credentials and took what it was given. */
  readonly authenticated: boolean;
  /** How many blobs, or pieces of one, may travel at the same time. */
  readonly pace: Pace;
  /** Sends one request, authorized, without repetition on failure. */
  request(request: RegistryRequest): Promise<HttpResponse>;
  /** Gives a chunk of an answer's body back when its bytes are not needed any more, which saves memory. */
  recycle(chunk: Uint8Array): void;
  /** Repeats a unit of work that failed with a retryable error. */
  retrying<T>(work: () => Promise<T>, options?: UnitOptions): Promise<T>;
  /** The same for work that cannot be a function. */
  retries(options?: UnitOptions): Retries;
}

/** How a session is opened. */
export interface SessionOptions extends RegistryOptions {
  readonly repository?: string | undefined;
  /** Accept any certificate and plain HTTP, unless the options say otherwise. Default: as configured. */
  readonly insecure?: boolean | undefined;
  /** Which host serves it, and how that is spoken to. Default: as a `hosts.toml` says, for reading. */
  readonly endpoint?: Endpoint | undefined;
  /** What the session is for, which decides which host of a `hosts.toml` serves it. Default: `pull`. */
  readonly purpose?: 'pull' | 'push' | undefined;
}

/** Opens a session; nothing is sent before the first request. Credentials may depend on the repository. */
export function createSession(
  registry: string,
  { repository, insecure, purpose = 'pull', endpoint: given, ...options }: SessionOptions,
): Session {
  let host = registryHost(registry);
  const name = canonicalRegistry(registry);
  const environment = registryEnvironment(options.env);
  const closing = new AbortController();
  const policy = once(() => {
    const full = repository === undefined ? name : `${name}/${repository}`;
    return registryPolicy(full, { registriesConf: options.registriesConf, environment });
  });
  /** What a person said of this registry holds, whatever the configuration says. */
  const isInsecure = async (): Promise<boolean> => {
    const configured = await policy();
    return options.tlsVerify !== true && (insecure ?? configured.insecure);
  };
  const endpoint = once(async () => {
    const chosen = given ?? (await chooseEndpoint(name, { ...options, environment, purpose }));
    host = chosen.settings.url?.host ?? host;
    return chosen;
  });
  let opened: Transport | undefined;
  const transport = once(async () => {
    const { settings } = await endpoint();
    opened = createTransport({
      registry: host,
      userAgent: options.userAgent ?? 'ocijs',
      dispatchers: createDispatchers({
        host,
        environment,
        connectTimeoutMs: settings.dialTimeoutMs,
        loadTls: once(async () => {
          const insecureHost = settings.skipVerify ?? (await isInsecure());
          const tlsVerify = options.tlsVerify ?? !insecureHost;
          return loadTlsMaterial(host, { ...options, tlsVerify, environment, settings });
        }),
      }),
    });
    return opened;
  });
  const origin = once(async () => {
    const { url } = (await endpoint()).settings;
    const plainHttp = options.plainHttp ?? false;
    if (url !== undefined && !plainHttp) return new URL(url.origin);
    return registryOrigin(host, { plainHttp, insecure: await isInsecure() });
  });
  const authorizer = once(async () => {
    const { settings, acceptsOptions } = await endpoint();
    const known = settings.url === undefined ? name : canonicalRegistry(host);
    return createAuthorizer({
      transport: await transport(),
      origin: await origin(),
      closed: closing.signal,
      findCredentials: async () =>
        (acceptsOptions ? options.credentials : undefined) ??
        findCredentials({ ...options, registry: known, repository, environment, signal: closing.signal }),
    });
  });
  const pace = createPace({
    registry: name,
    concurrency: options.concurrency ?? defaultConcurrency,
    onEvent: options.onEvent,
  });
  const warned = new Set<string>();
  let answered = false;
  let authenticated = false;

  const warn = (response: HttpResponse): void => {
    for (const header of response.headers('warning')) {
      const message = warningText(header);
      if (message === undefined || warned.has(message) || warned.size >= limits.warnings) continue;
      warned.add(message);
      options.onEvent?.({ type: 'warning', code: 'REGISTRY_WARNING', message: `${name}: ${message}` });
    }
  };

  const request = async (asked: RegistryRequest): Promise<HttpResponse> => {
    const { method, target, headers, body, scopes, signal = options.signal } = asked;
    signal?.throwIfAborted();
    const base = await abortable(origin(), signal);
    const [place, auth, sender] = [await endpoint(), await authorizer(), await transport()];
    const url = typeof target === 'string' ? endpointUrl(target, { base, endpoint: place }) : target;
    const own = url.origin === base.origin;
    const ownHeaders = own ? place.settings.headers : undefined;
    const send = (authorization: string | undefined): Promise<HttpResponse> =>
      sender.send({
        method,
        url,
        ...(headers === undefined ? {} : { headers }),
        body,
        contentMayLeave: true,
        signal,
        authorization,
        ownHeaders,
      });

    let authorization = own ? await abortable(auth.authorization(scopes), signal) : undefined;
    let response = await send(authorization);
    answered = true;
    if (response.status === 401 && own && response.url.origin === base.origin) {
      const challenges = response.headers('www-authenticate');
      const better = await abortable(auth.answer(challenges, { scopes, rejected: authorization }), signal);
      if (better !== undefined) {
        await response.discard();
        authorization = better;
        response = await send(authorization);
        authenticated ||= response.status !== 401;
      }
    }
    warn(response);
    pace.answered(response);
    if (asked.accept.includes(response.status)) return response;
    const secrets = Object.values(place.settings.headers).flat();
    throw await responseError(response, { what: asked.what, authorization, registry: name, secrets });
  };

  const retryOptions = (unit: UnitOptions): RetryOptions => ({
    retries: options.retry ?? defaultRetries,
    firstDelayMs: options.retryDelayMs ?? timeouts.retryFirst,
    signal: unit.signal ?? options.signal,
    onEvent: options.onEvent,
    progressed: unit.progressed,
    // Nobody listens: only worth waiting for when somebody did a moment ago.
    isFinal: (error: RegistryError) => error.facts.errno === 'ECONNREFUSED' && !answered,
  });

  return {
    registry: name,
    get host() {
      return host;
    },
    options,
    get authenticated() {
      return authenticated;
    },
    pace,
    request,
    recycle: (chunk) => opened?.recycle(chunk),
    retrying: (work, unit = {}) => withRetry(work, retryOptions(unit)),
    retries: (unit = {}) => createRetries(retryOptions(unit)),
    async [Symbol.asyncDispose]() {
      closing.abort(new Error('the registry client is closed'));
      await opened?.[Symbol.asyncDispose]();
    },
  };
}

/** Runs at the first call only; a failure is not remembered. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    if (made === undefined) {
      const started = make();
      made = started;
      started.catch(() => {
        made = undefined;
      });
    }
    return made;
  };
}
