import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { ReportPage } from '../report/page.ts';

/** A page that a browser on this machine can look at. */
export interface PageServer extends AsyncDisposable {
  /** Holds the secret that the page is asked for with. */
  readonly url: string;
  readonly port: number;
  /**
   * An address that leads to the page once, and then nowhere: for the command line of a browser, which every user of
   * the machine can read.
   */
  oneTimeUrl(): string;
}

const secretBytes = 24;

/**
 * Serves one page on a free port of the loopback address, to whoever knows the secret in its address. Requests with a
 * foreign `Host` are refused, so that no name that somebody points to 127.0.0.1 leads here (DNS rebinding).
 */
export async function servePage({ html, policy }: ReportPage): Promise<PageServer> {
  const body = gzipSync(html);
  const secret = newSecret();
  const oneTime = new Set<string>();
  let port = 0;

  function answer(request: IncomingMessage, response: ServerResponse): void {
    // Of several, Node would take the first.
    const [host, ...others] = request.headersDistinct['host'] ?? [];
    const path = request.url ?? '';
    const isOurs = host === `127.0.0.1:${port}` || host === `localhost:${port}`;
    if (!isOurs || others.length > 0) {
      end(response, 421, 'not the host of this page');
    } else if (request.method !== 'GET') {
      response.setHeader('Allow', 'GET');
      end(response, 405, 'only GET');
    } else if (oneTime.delete(path)) {
      response.setHeader('Location', `/${secret}/`);
      end(response, 303, 'there');
    } else if (isEqual(path, `/${secret}/`)) sendPage(request, response);
    else end(response, 404, 'nothing here');
  }

  function sendPage(request: IncomingMessage, response: ServerResponse): void {
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    response.setHeader('Content-Security-Policy', `${policy}; frame-ancestors 'none'`);
    if (/\bgzip\b/.test(String(request.headers['accept-encoding']))) {
      response.setHeader('Content-Encoding', 'gzip');
      response.end(body);
    } else response.end(html);
  }

  const server = createServer({ requestTimeout: 30_000 }, (request, response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    answer(request, response);
  });
  port = await listen(server);
  const origin = `http://127.0.0.1:${port}`;
  return {
    url: `${origin}/${secret}/`,
    port,
    oneTimeUrl() {
      const path = `/open/${newSecret()}`;
      oneTime.add(path);
      return `${origin}${path}`;
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

const headers = {
  'Cache-Control': 'no-store',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

function newSecret(): string {
  return randomBytes(secretBytes).toString('base64url');
}

function end(response: ServerResponse, status: number, text: string): void {
  response.statusCode = status;
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.setHeader('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'");
  response.end(`${text}\n`);
}

function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port: 0 }, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('the server has no port');
  return address.port;
}
