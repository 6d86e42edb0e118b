import { secretsOf } from '../auth/basic.ts';
import { RegistryError, type RegistryErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';
import { requestedPause } from './rate-limit.ts';
import { printable, redactUrl, withoutSecrets } from './redact.ts';
import { type HttpResponse, readBody } from './response.ts';

/** What an error about an answer needs to know of the question. */
export interface ResponseErrorContext {
  /** Names the object: `manifest library/debian:bookworm`. */
  readonly what: string;
  /** What was sent, to keep it out of the message. */
  readonly authorization: string | undefined;
  readonly secrets?: readonly string[];
  /** For hints: the registry as people name it. */
  readonly registry?: string;
}

/** One entry of the distribution specification's error body. */
interface ErrorEntry {
  readonly code: string;
  readonly message: string;
}

/** Reads what a registry says about a failure and gives it a code, a message and a hint. */
export async function responseError(
  response: HttpResponse,
  context: ResponseErrorContext,
): Promise<RegistryError> {
  const entries = await readEntries(response);
  const { status, url } = response;
  const entry = entries[0];
  const code = errorCode(status, entry?.code ?? '');
  const secrets = [...secretsOf(context.authorization), ...(context.secrets ?? [])];
  const said = entry === undefined ? '' : withoutSecrets(entry.message || entry.code, secrets);
  const explanation = said === '' ? '' : `: ${printable(said)}`;
  const hint = hintFor(code, { entry, context, response });
  return new RegistryError(
    code,
    `${context.what}: ${sentences[code] ?? 'unexpected answer'} (${status})${explanation}`,
    {
      url: redactUrl(url),
      status,
      ...(hint === undefined ? {} : { hint }),
      retryable: status === 408 || status === 429 || (status >= 500 && status !== 501 && status !== 505),
      retryAfterMs: requestedPause(response),
    },
  );
}

const sentences: Partial<Record<RegistryErrorCode, string>> = {
  ERR_OCI_REGISTRY_UNAUTHORIZED: 'authentication is required or was refused',
  ERR_OCI_REGISTRY_DENIED: 'access denied',
  ERR_OCI_REGISTRY_NOT_FOUND: 'not found',
  ERR_OCI_REGISTRY_RATE_LIMITED: 'too many requests',
  ERR_OCI_REGISTRY_UNAVAILABLE: 'the registry has a problem',
  ERR_OCI_REGISTRY_UNSUPPORTED: 'the registry does not support this',
  ERR_OCI_REGISTRY_BLOB_INVALID: 'the registry refused the blob',
  ERR_OCI_REGISTRY_MANIFEST_INVALID: 'the registry refused the manifest',
};

const blobCodes: ReadonlySet<string> = new Set(['BLOB_UPLOAD_INVALID', 'DIGEST_INVALID', 'SIZE_INVALID']);
const manifestCodes: ReadonlySet<string> = new Set([
  'MANIFEST_INVALID',
  'MANIFEST_BLOB_UNKNOWN',
  'MANIFEST_UNVERIFIED',
  'TAG_INVALID',
]);

function errorCode(status: number, said: string): RegistryErrorCode {
  if (status === 401) return 'ERR_OCI_REGISTRY_UNAUTHORIZED';
  if (status === 403) return 'ERR_OCI_REGISTRY_DENIED';
  if (status === 429) return 'ERR_OCI_REGISTRY_RATE_LIMITED';
  if (manifestCodes.has(said)) return 'ERR_OCI_REGISTRY_MANIFEST_INVALID';
  if (blobCodes.has(said)) return 'ERR_OCI_REGISTRY_BLOB_INVALID';
  if (status === 404) return 'ERR_OCI_REGISTRY_NOT_FOUND';
  if (status === 405 || status === 501 || said === 'UNSUPPORTED') return 'ERR_OCI_REGISTRY_UNSUPPORTED';
  if (status === 408 || status >= 500) return 'ERR_OCI_REGISTRY_UNAVAILABLE';
  return 'ERR_OCI_REGISTRY_PROTOCOL';
}

interface HintFacts {
  readonly entry: ErrorEntry | undefined;
  readonly context: ResponseErrorContext;
  readonly response: HttpResponse;
}

function hintFor(code: RegistryErrorCode, { entry, context, response }: HintFacts): string | undefined {
  const registry = context.registry ?? response.url.host;
  switch (code) {
    case 'ERR_OCI_REGISTRY_UNAUTHORIZED':
      return context.authorization === undefined
        ? `log in with: oci login ${registry}; or give --creds USER:PASSWORD; some registries say this of what does not exist`
        : 'the credentials were refused: check user and password, or log in again';
    case 'ERR_OCI_REGISTRY_DENIED':
      return `the account may lack the right to do this, or the repository does not exist on ${registry}`;
    case 'ERR_OCI_REGISTRY_NOT_FOUND':
      return entry?.code === 'MANIFEST_UNKNOWN'
        ? 'check the name, and the tag or digest: oci tags lists what a repository has'
        : `check the spelling of the repository, and that it is on ${registry}`;
    case 'ERR_OCI_REGISTRY_RATE_LIMITED':
      return rateLimitHint({ context, response });
    case 'ERR_OCI_REGISTRY_MANIFEST_INVALID':
      return entry?.code === 'MANIFEST_BLOB_UNKNOWN'
        ? 'a blob of the image is missing in the registry'
        : undefined;
    default:
      return undefined;
  }
}

function rateLimitHint({ context, response }: Pick<HintFacts, 'context' | 'response'>): string {
  const limit = response.header('ratelimit-limit');
  const wait = requestedPause(response);
  const parts = [
    ...(wait === undefined ? [] : [`the registry asks to wait ${Math.ceil(wait / 1000)} s`]),
    ...(limit === undefined ? [] : [`its limit is ${printable(limit)}`]),
    ...(context.authorization === undefined ? ['logging in may raise the limit'] : []),
  ];
  return parts.join('; ') || 'wait and try again';
}

async function readEntries(response: HttpResponse): Promise<readonly ErrorEntry[]> {
  const type = response.header('content-type') ?? '';
  if (!type.includes('json')) {
    await response.discard();
    return [];
  }
  let body: Uint8Array;
  try {
    body = await readBody(response, { limit: limits.errorBytes, what: 'error body' });
  } catch (error) {
    // The status says enough when its explanation is broken or too long; an abort is no explanation.
    if (error instanceof RegistryError || isLimit(error)) return [];
    throw error;
  }
  return parseEntries(Buffer.from(body).toString('utf8'));
}

function isLimit(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'ERR_OCI_LIMIT_EXCEEDED';
}

function parseEntries(text: string): readonly ErrorEntry[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
  const { errors, details, message } = (value ?? {}) as {
    errors?: unknown;
    details?: unknown;
    message?: unknown;
  };
  const list = Array.isArray(errors) ? errors : [{ message: details ?? message }];
  return list.slice(0, 10).flatMap((item: unknown) => {
    const { code, message: text } = (item ?? {}) as { code?: unknown; message?: unknown };
    const entry = {
      code: typeof code === 'string' ? code : '',
      message: typeof text === 'string' ? text : '',
    };
    return entry.code === '' && entry.message === '' ? [] : [entry];
  });
}
