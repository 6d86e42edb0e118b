import {
  type Agent,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request as requestHttp,
  type ServerResponse,
} from 'node:http';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from './fault.ts';
import { Cut, faultyBody, upTo } from './faulty-body.ts';

/** A request on its way to the registry behind, and what is to go wrong with it. */
export interface Forwarding {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly fault: Fault | undefined;
  /** The registry behind. */
  readonly target: URL;
  readonly agent: Agent;
  /** True when the client speaks TLS with us. */
  readonly secure: boolean;
  /** Aborted when the client goes away or the proxy is closed. */
  readonly signal: AbortSignal;
}

/** Headers that belong to one connection (RFC 9110, section 7.6.1). */
const ownHeaders = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'upgrade'] as const;

/** Passes a request on and its answer back; throws {@link Cut} where the connection to the client is to end. */
export async function forward(forwarding: Forwarding): Promise<void> {
  const { fault, signal } = forwarding;
  if (fault?.kind === 'delay') await sleep(fault.ms, undefined, { signal });
  const answer = await exchange(forwarding);
  try {
    await passOn(answer, forwarding);
  } finally {
    // A client that is gone already makes pipeline() throw before it takes charge of the answer.
    answer.destroy();
  }
}

async function passOn(answer: IncomingMessage, forwarding: Forwarding): Promise<void> {
  const { request, response, fault, signal } = forwarding;
  if (fault?.kind === 'drop') {
    // Read to its end, so that the registry has done all of it.
    for await (const _ of answer) signal.throwIfAborted();
    throw new Cut();
  }
  const headers = headersFor(answer.headers);
  const announced = answer.headers['content-length'];
  const hasBody = request.method !== 'HEAD' && answer.statusCode !== 204 && answer.statusCode !== 304;
  if (fault?.kind === 'shorten' && hasBody && announced !== undefined)
    headers['content-length'] = Math.min(Number(announced), fault.after);
  response.writeHead(answer.statusCode ?? 502, headers);
  if (!hasBody) {
    answer.resume();
    response.end();
    return;
  }
  // What is truncated is all sent before the connection ends.
  const isCut = fault?.kind === 'truncate' && Number(announced ?? Number.POSITIVE_INFINITY) > fault.after;
  await pipeline(faultyBody(answer, { fault, signal }), response, { signal, end: !isCut });
  if (isCut) throw new Cut();
}

/** Sends the request and resolves with the head of the answer. */
async function exchange({
  request,
  fault,
  target,
  agent,
  secure,
  signal,
}: Forwarding): Promise<IncomingMessage> {
  const headers = headersFor(request.headers);
  if (fault?.kind === 'ignore-range') delete headers['range'];
  if (secure) headers['x-forwarded-proto'] = 'https';
  const outgoing = requestHttp({
    host: target.hostname,
    port: target.port === '' ? 80 : target.port,
    method: request.method,
    path: request.url,
    headers,
    agent,
    signal,
  });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve);
    outgoing.once('error', reject);
  });
  const body = request.iterator({ destroyOnReturn: false });
  const sent = pipeline(fault?.kind === 'drop-upload' ? cutAfter(body, fault.after) : body, outgoing);
  // Whichever fails first; a registry may well answer before it has read everything.
  await Promise.race([answered, sent.then(() => answered)]);
  return answered;
}

async function* cutAfter(body: AsyncIterable<Uint8Array>, limit: number): AsyncGenerator<Uint8Array> {
  if (yield* upTo(body, limit)) throw new Cut();
}

function headersFor(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const forwarded: OutgoingHttpHeaders = { ...headers };
  for (const name of ownHeaders) delete forwarded[name];
  return forwarded;
}
