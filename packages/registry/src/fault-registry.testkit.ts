import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { Server } from 'node:net';
import type { Descriptor, ImageStore } from '@ocijs/image';

/** One request as the registry saw it. */
export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Which request of this method and path it is, from 1 on. */
  readonly count: number;
}

/** Takes a request over and returns true, or lets the registry answer it. */
export type Fault = (request: SeenRequest, response: ServerResponse) => boolean | Promise<boolean>;

/** A small, real HTTP registry on loopback that does what it is told to do wrong. */
export interface FaultRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  readonly blobs: Map<string, Uint8Array>;
  /** By `repository:reference`. */
  readonly manifests: Map<string, { readonly bytes: Uint8Array; readonly mediaType: string }>;
  readonly requests: SeenRequest[];
  /** Uploads that were opened and neither finished nor cancelled. */
  readonly uploads: Map<string, Buffer>;
  fault: Fault | undefined;
}

/** Starts the registry. */
export async function startFaultRegistry(fault?: Fault): Promise<FaultRegistry> {
  const state = {
    blobs: new Map<string, Uint8Array>(),
    manifests: new Map<string, { readonly bytes: Uint8Array; readonly mediaType: string }>(),
    requests: [] as SeenRequest[],
    uploads: new Map<string, Buffer>(),
    fault,
  };
  const server = await listen((request, response) => {
    void answer(state, { request, response }).catch((error: unknown) => response.destroy(error as Error));
  });
  return Object.assign(state, { host: server.host, [Symbol.asyncDispose]: server[Symbol.asyncDispose] });
}

/** A server on a free loopback port. */
export interface TestServer extends AsyncDisposable {
  readonly host: string;
}

/** Serves HTTP, or what `create` makes, on a free loopback port. */
export async function listen(
  listener: RequestListener,
  create: (listener: RequestListener) => Server & { closeAllConnections(): void } = createServer,
): Promise<TestServer> {
  const server = create(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    host: `127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Copies everything below a descriptor from a store into the registry and gives it a tag. */
export async function serveImage(
  registry: FaultRegistry,
  options: {
    readonly store: ImageStore;
    readonly top: Descriptor;
    readonly name: string;
    readonly tag: string;
  },
): Promise<void> {
  const { store, top, name, tag } = options;
  const bytes = await store.readAll(top);
  const document = JSON.parse(Buffer.from(bytes).toString()) as {
    manifests?: Descriptor[];
    config?: Descriptor;
    layers?: Descriptor[];
  };
  for (const reference of [tag, top.digest]) {
    registry.manifests.set(`${name}:${reference}`, { bytes, mediaType: top.mediaType });
  }
  for (const child of document.manifests ?? []) {
    await serveImage(registry, { store, top: child, name, tag: child.digest });
  }
  for (const blob of [document.config, ...(document.layers ?? [])]) {
    if (blob !== undefined)
      registry.blobs.set(blob.digest, await store.readAll(blob, { limit: 100_000_000 }));
  }
}

type State = Omit<FaultRegistry, 'host' | typeof Symbol.asyncDispose>;

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

async function answer(state: State, { request, response }: Exchange): Promise<void> {
  const { method = 'GET', url: path = '/', headers } = request;
  const count = 1 + state.requests.filter((seen) => seen.method === method && seen.path === path).length;
  const seen: SeenRequest = { method, path, headers, count };
  state.requests.push(seen);
  if (await state.fault?.(seen, response)) return;
  const url = new URL(path, 'http://registry');
  if (url.pathname === '/v2/') {
    response.end('{}');
    return;
  }
  const route = /^\/v2\/(.+)\/(manifests|blobs|tags)\/(.+)$/.exec(url.pathname);
  const [, name = '', kind = '', rest = ''] = route ?? [];
  if (kind === 'manifests') await manifest(state, { request, response, key: `${name}:${rest}` });
  else if (kind === 'blobs' && rest.startsWith('uploads'))
    await upload(state, { request, response, url, name });
  else if (kind === 'blobs') blob(state, { request, response, digest: rest });
  else if (kind === 'tags') sendJson(response, { name, tags: tagsOf(state, name) });
  else sendError(response, 404, 'UNSUPPORTED');
}

function tagsOf(state: State, name: string): readonly string[] {
  return [...state.manifests.keys()].flatMap((key) => {
    const tag = key.slice(name.length + 1);
    return key.startsWith(`${name}:`) && !tag.includes(':') ? [tag] : [];
  });
}

async function manifest(state: State, { request, response, key }: Exchange & { key: string }): Promise<void> {
  if (request.method === 'PUT') {
    const bytes = await readAll(request);
    const mediaType = request.headers['content-type'] ?? '';
    state.manifests.set(key, { bytes, mediaType });
    state.manifests.set(`${key.slice(0, key.indexOf(':'))}:${digestOf(bytes)}`, { bytes, mediaType });
    response.writeHead(201, { 'docker-content-digest': digestOf(bytes) }).end();
    return;
  }
  const found = state.manifests.get(key);
  if (found === undefined) {
    sendError(response, 404, 'MANIFEST_UNKNOWN');
    return;
  }
  response.writeHead(200, {
    'content-type': found.mediaType,
    'content-length': found.bytes.length,
    'docker-content-digest': digestOf(found.bytes),
  });
  response.end(request.method === 'HEAD' ? undefined : found.bytes);
}

function blob(state: State, { request, response, digest }: Exchange & { digest: string }): void {
  const bytes = state.blobs.get(digest);
  if (bytes === undefined) {
    sendError(response, 404, 'BLOB_UNKNOWN');
    return;
  }
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (start > 0 && start >= bytes.length) {
    sendError(response, 416, 'RANGE_INVALID');
    return;
  }
  response.writeHead(start > 0 ? 206 : 200, {
    'content-type': 'application/octet-stream',
    'content-length': bytes.length - start,
    ...(start > 0 ? { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : bytes.subarray(start));
}

async function upload(
  state: State,
  { request, response, url, name }: Exchange & { url: URL; name: string },
): Promise<void> {
  const id = url.pathname.split('/').at(-1) ?? '';
  const location = (upload: string): string => `/v2/${name}/blobs/uploads/${upload}?state=a%3D`;
  if (request.method === 'POST') {
    const mount = url.searchParams.get('mount');
    if (mount !== null && state.blobs.has(mount)) return void response.writeHead(201).end();
    const fresh = randomUUID();
    state.uploads.set(fresh, Buffer.alloc(0));
    return void response.writeHead(202, { location: location(fresh) }).end();
  }
  const held = state.uploads.get(id);
  if (held === undefined) return sendError(response, 404, 'BLOB_UPLOAD_UNKNOWN');
  if (request.method === 'DELETE') {
    state.uploads.delete(id);
    return void response.writeHead(204).end();
  }
  const bytes = Buffer.concat([held, await readAll(request)]);
  if (request.method === 'GET') {
    return void response
      .writeHead(204, { location: location(id), range: `0-${Math.max(0, held.length - 1)}` })
      .end();
  }
  if (request.method === 'PATCH') {
    state.uploads.set(id, bytes);
    return void response.writeHead(202, { location: location(id), range: `0-${bytes.length - 1}` }).end();
  }
  const digest = url.searchParams.get('digest') ?? '';
  if (digestOf(bytes) !== digest) return sendError(response, 400, 'DIGEST_INVALID');
  state.uploads.delete(id);
  state.blobs.set(digest, bytes);
  response.writeHead(201).end();
}

/** Sends the distribution specification's error body. */
export function sendError(
  response: ServerResponse,
  status: number,
  code: string,
  message: string = code,
): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ errors: [{ code, message }] }));
}

/** Sends JSON. */
export function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

/** The digest of bytes. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Reads a request to its end. */
export async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
