import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Store } from '@ocijs/image';
import { RequestFailure } from './failure.ts';
import type { ServerLimits } from './limits.ts';
import type { Protection } from './protection.ts';
import type { Uploads } from './uploads.ts';

/** One request and everything that a handler needs to answer it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly store: Store;
  readonly uploads: Uploads;
  readonly protection: Protection;
  readonly limits: ServerLimits;
  /** The repository that plain tag names of the layout belong to. */
  readonly baseRepository: string;
  /** Whether manifests are refused whose content is not there. */
  readonly requireContent: boolean;
  /** Aborted when the client goes away or the server is closed. */
  readonly signal: AbortSignal;
}

export type Headers = Readonly<Record<string, string | number>>;

/** Answers without a body. */
export function sendEmpty({ response }: Exchange, status: number, headers: Headers = {}): void {
  const length = status === 204 ? {} : { 'content-length': 0 };
  response.writeHead(status, { ...length, ...headers }).end();
}

/** The headers that name content by its digest. */
export function digestHeaders(digest: string): Headers {
  return { 'docker-content-digest': digest, etag: `"${digest}"` };
}

/**
 * Whether the client has the content already and says so (RFC 9110, section 13.1.2): then 304 is the answer, which is
 * sent here.
 */
export function sentNotModified(exchange: Exchange, digest: string): boolean {
  const known = exchange.request.headers['if-none-match'];
  const tags = known?.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (tags === undefined || !(tags.includes('*') || tags.includes(`"${digest}"`))) return false;
  exchange.response.writeHead(304, digestHeaders(digest)).end();
  return true;
}

/** Answers with bytes that are already in memory; a HEAD request gets the headers alone. */
export function sendBytes({ request, response }: Exchange, body: Uint8Array, headers: Headers): void {
  response.writeHead(200, { 'content-length': body.byteLength, ...headers });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** Answers with a JSON document. */
export function sendJson(exchange: Exchange, value: unknown, headers: Headers = {}): void {
  sendBytes(exchange, Buffer.from(JSON.stringify(value)), { 'content-type': 'application/json', ...headers });
}

/** The announced length of the request body in bytes; undefined for a chunked body. */
export function announcedLength({ request }: Exchange): number | undefined {
  const header = request.headers['content-length'];
  if (header !== undefined) return Number(header);
  return request.headers['transfer-encoding'] === undefined ? 0 : undefined;
}

/** Reads the request body into memory. Answers 413 as soon as it is larger than `limit` bytes. */
export async function readBody(exchange: Exchange, limit: number): Promise<Buffer> {
  const tooLarge = (): RequestFailure =>
    new RequestFailure(413, ['MANIFEST_INVALID', `body is larger than ${limit} bytes`]);
  if ((announcedLength(exchange) ?? 0) > limit) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of exchange.request.iterator({ destroyOnReturn: false })) {
    size += chunk.byteLength;
    if (size > limit) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
