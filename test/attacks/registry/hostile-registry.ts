import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Descriptor, digestBytes, MediaType, openStore, type Store } from '@ocijs/image';
import type { RegistryOptions } from '@ocijs/registry';
import { temporaryDirectory } from '../../kit/temporary.ts';

/** One request, at whichever host it was meant for. */
export interface SeenRequest {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/** Hosts that are all played by one server, behind a proxy: to the client they are on the internet. */
export interface HostileWorld extends AsyncDisposable {
  readonly requests: readonly SeenRequest[];
  /** Every host that was asked for, by a request or a tunnel. */
  readonly hosts: ReadonlySet<string>;
  readonly store: Store;
  readonly directory: string;
  /** For plain HTTP to any host name. */
  readonly options: RegistryOptions;
}

/** Answers a request. */
export type Answer = (request: SeenRequest, response: ServerResponse) => void;

/** Plays every host of the internet by `answer`. */
export async function hostileWorld(answer: Answer): Promise<HostileWorld> {
  const stack = new AsyncDisposableStack();
  const directory = stack.use(await temporaryDirectory());
  const requests: SeenRequest[] = [];
  const hosts = new Set<string>();
  const sockets = new Set<Duplex>();
  const server = createServer((request, response) => {
    const { method = '', url = '', headers } = request;
    // A proxy is asked for whole URLs; through a tunnel they are paths.
    const path = url.replace(/^http:\/\/[^/]+/, '');
    const seen = { method, path, headers, host: headers.host ?? '' };
    hosts.add(seen.host);
    requests.push(seen);
    response.on('error', () => response.destroy());
    request.resume().on('end', () => answer(seen, response));
  });
  server.on('connect', (request, socket) => {
    hosts.add((request.url ?? '').replace(/:(?:80|443)$/, ''));
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    server.emit('connection', socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stack.defer(async () => {
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const store = await openStore(`${directory.path}/store`);
  stack.use(store);
  const proxy = `http://127.0.0.1:${address.port}`;
  return {
    requests,
    hosts,
    store,
    directory: directory.path,
    options: {
      plainHttp: true,
      retry: 0,
      retryDelayMs: 1,
      env: { HOME: directory.path, http_proxy: proxy, https_proxy: proxy },
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** A manifest or something else, as a registry sends it. */
export interface SentDocument extends Descriptor {
  readonly bytes: Buffer;
}

/** Describes a text. */
export function document(text: string | Uint8Array, mediaType: string = MediaType.manifest): SentDocument {
  const bytes = Buffer.from(text);
  return { bytes, mediaType, digest: digestBytes(bytes), size: bytes.length };
}

/** Sends a manifest. */
export function sendManifest(response: ServerResponse, { bytes, mediaType, digest }: SentDocument): void {
  response.writeHead(200, {
    'content-type': mediaType,
    'content-length': bytes.length,
    'docker-content-digest': digest,
  });
  response.end(bytes);
}

/** Sends an error as registries do. */
export function sendError(response: ServerResponse, status: number, message = 'no'): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ errors: [{ code: 'UNKNOWN', message }] }));
}

/** A manifest of one config and layers. */
export function manifestOf(config: Descriptor | object, layers: readonly object[]): string {
  return JSON.stringify({ schemaVersion: 2, mediaType: MediaType.manifest, config, layers });
}

/** Writes until nobody listens any more, and counts; not for HEAD, which has no body that could fill up. */
export function flood(response: ServerResponse, sent: { bytes: number }): void {
  const chunk = Buffer.alloc(65_536, ' ');
  const write = (): void => {
    while (!response.destroyed && !response.writableEnded) {
      sent.bytes += chunk.length;
      if (!response.write(chunk)) {
        response.once('drain', write);
        return;
      }
    }
  };
  write();
}
