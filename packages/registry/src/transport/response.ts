import { ImageError } from '@ocijs/image';
import type { Dispatcher } from 'undici';
import { limits } from '../limits.ts';
import { bodyChunks } from './body.ts';
import { redactUrl } from './redact.ts';

/** An answer whose body was not read yet. Read it to its end, or discard it. */
export interface HttpResponse {
  readonly status: number;
  /** Where the answer came from, after redirects. */
  readonly url: URL;
  /** The first value of a header. */
  header(name: string): string | undefined;
  /** All values of a header. */
  headers(name: string): readonly string[];
  /** The body as it arrives; a broken connection throws ERR_OCI_REGISTRY_UNAVAILABLE. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Frees the connection without reading a large rest. */
  discard(): Promise<void>;
}

/** Gives undici's answer the form that the rest of the package reads. */
export function toResponse(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  { url, signal }: { readonly url: URL; readonly signal: AbortSignal | undefined },
): HttpResponse {
  const all = (name: string): readonly string[] => {
    const value = headers[name];
    if (value === undefined) return [];
    return Array.isArray(value) ? value : [value];
  };
  return {
    status: statusCode,
    url,
    headers: all,
    header: (name) => all(name)[0],
    body: bodyChunks(body, { url, signal }),
    discard: () => body.dump({ limit: limits.discardBytes }).then(() => undefined),
  };
}

/** Reads a whole body into memory. Throws ERR_OCI_LIMIT_EXCEEDED above `limit` bytes. */
export async function readBody(
  response: HttpResponse,
  { limit, what }: { readonly limit: number; readonly what: string },
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.length;
    if (size > limit) {
      throw new ImageError('ERR_OCI_LIMIT_EXCEEDED', `${what} is larger than ${limit} bytes`, {
        limit,
        url: redactUrl(response.url),
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}
