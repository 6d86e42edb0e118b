import { plainSettings } from '../../config/hosts-toml.ts';
import { registryEnvironment } from '../../env.ts';
import { RegistryError } from '../../errors.ts';
import { defaultRetries, limits, timeouts } from '../../limits.ts';
import type { RegistryOptions } from '../../options.ts';
import { createDispatchers } from '../../transport/dispatcher.ts';
import { redactUrl } from '../../transport/redact.ts';
import { createTransport } from '../../transport/request.ts';
import { type HttpResponse, readBody } from '../../transport/response.ts';
import { withRetry } from '../../transport/retry.ts';
import { loadTlsMaterial } from '../../transport/tls.ts';
import type { LookasideSignature } from './read-signatures.ts';

/** Reads signatures from one server. */
export interface LookasideHost extends AsyncDisposable {
  /** Undefined when the server has none there (404). */
  read(url: URL): Promise<LookasideSignature | undefined>;
}

/**
 * A server of signatures, `HOST[:PORT]`. It is trusted with nothing: it gets no credentials and no client certificate,
 * and may redirect to where a registry may. Certificates are checked as the options say.
 */
export function openLookasideHost(host: string, options: RegistryOptions): LookasideHost {
  const { signal, onEvent } = options;
  const environment = registryEnvironment(options.env);
  const transport = createTransport({
    registry: host,
    userAgent: options.userAgent ?? 'ocijs',
    dispatchers: createDispatchers({
      host,
      environment,
      loadTls: async () => {
        const material = await loadTlsMaterial(host, { ...options, environment, settings: plainSettings });
        return { ...material, client: undefined };
      },
    }),
  });
  const read = async (url: URL): Promise<LookasideSignature | undefined> => {
    const response = await transport.send({ method: 'GET', url, signal });
    if (response.status === 200) {
      const name = redactUrl(url);
      const bytes = await readBody(response, { limit: limits.gpgSignatureBytes, what: `signature ${name}` });
      return { name, bytes };
    }
    await response.discard();
    if (response.status === 404) return undefined;
    throw strangeAnswer(response);
  };
  return {
    read: (url) =>
      withRetry(() => read(url), {
        retries: options.retry ?? defaultRetries,
        firstDelayMs: options.retryDelayMs ?? timeouts.retryFirst,
        signal,
        onEvent,
      }),
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  };
}

/** Not knowing whether there is a signature is not the same as knowing that there is none. */
function strangeAnswer({ status, url }: HttpResponse): RegistryError {
  const isPassing = status === 408 || status === 429 || status >= 500;
  return new RegistryError(
    isPassing ? 'ERR_OCI_REGISTRY_UNAVAILABLE' : 'ERR_OCI_REGISTRY_PROTOCOL',
    `signature ${redactUrl(url)}: unexpected answer (${status})`,
    {
      url: redactUrl(url),
      status,
      retryable: isPassing,
      hint: 'registries.d names this place for signatures; where there is none, it must answer 404',
    },
  );
}
