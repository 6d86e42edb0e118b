import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { MediaType } from '@ocijs/image';
import { type Authorize, createAuthorize } from './authorize.ts';

/** A complete answer. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** What a request carries. */
export interface Question {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

/** What describes content in a manifest. */
export interface Described {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** A manifest that was pushed. */
export interface Pushed {
  readonly descriptor: Described;
  readonly bytes: Buffer;
  readonly answer: Answer;
}

/** Where a registry is, and who asks. */
export interface SubjectOptions {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

/** The registry that is examined, and what the checks do with it over and over. */
export interface Subject {
  readonly url: string;
  /** The `Warning` headers of every answer so far; one list per answer. */
  readonly warnings: readonly (readonly string[])[];
  /** The name of a repository that nobody has used. */
  repository(): string;
  /** Sends one request to a path or to a whole URL. */
  ask(method: string, target: string | URL, question?: Question): Promise<Answer>;
  /** Starts an upload and returns where it goes on. */
  startUpload(repository: string, query?: string): Promise<URL>;
  /** Pushes a blob by POST and PUT. */
  pushBlob(repository: string, bytes: Uint8Array, digest?: string): Promise<Described>;
  /** Pushes bytes as a manifest; the answer is not looked at. */
  putManifest(repository: string, reference: string, manifest: Manifest): Promise<Pushed>;
  /** Pushes an image with its blobs. */
  pushImage(repository: string, reference?: string, parts?: ImageParts): Promise<Pushed>;
}

/** A manifest as bytes, or as a document. */
export interface Manifest {
  readonly document?: object;
  readonly bytes?: Buffer;
  /** Default: that of an image manifest. */
  readonly mediaType?: string;
}

/** What is special about an image. */
export interface ImageParts {
  readonly layers?: readonly Uint8Array[];
  readonly fields?: object;
}

/** What a client says that it understands ("Pulling manifests" asks it to); docker-registry hides everything else. */
const accept = [
  MediaType.manifest,
  MediaType.index,
  MediaType.dockerManifest,
  MediaType.dockerManifestList,
].join();

/** The digest of bytes. */
export function digestOf(bytes: Uint8Array, algorithm = 'sha256'): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

/** Content that no registry has. */
export function noise(size = 64): Buffer {
  return randomBytes(size);
}

/** A URL with its `digest` parameter set; the other parameters stay. */
export function withDigest(location: URL, digest: string): URL {
  const url = new URL(location);
  url.searchParams.set('digest', digest);
  return url;
}

/** The body as JSON. */
export function json<T>({ body }: Answer): T {
  return JSON.parse(body.toString('utf8')) as T;
}

/** The `Location` of an answer, made absolute. */
export function locationOf(answer: Answer, base: string): URL {
  const location = answer.headers.get('location');
  assert.ok(location !== null && location !== '', 'the answer has no Location');
  return new URL(location, base);
}

/** Reaches a registry by its origin, such as `http://127.0.0.1:5000`. */
export function createSubject(origin: string, options: SubjectOptions = {}): Subject {
  const url = new URL(origin).origin;
  const authorize: Authorize = createAuthorize(options);
  const run = randomUUID().slice(0, 8);
  const warnings: (readonly string[])[] = [];
  let repositories = 0;

  async function send(method: string, target: URL, { headers = {}, body }: Question): Promise<Answer> {
    const authorization = target.origin === url ? await authorize.header() : undefined;
    const answer = await fetch(target, {
      method,
      headers: {
        ...(target.pathname.includes('/manifests/') ? { accept } : {}),
        ...headers,
        ...(authorization === undefined ? {} : { authorization }),
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : Buffer.from(body) }),
    });
    const warning = answer.headers.get('warning');
    if (warning !== null) warnings.push(warning.split(/,\s*(?=\d{3} )/));
    return { status: answer.status, headers: answer.headers, body: Buffer.from(await answer.arrayBuffer()) };
  }

  const subject: Subject = {
    url,
    warnings,
    repository: () => `conformance/${run}/r${++repositories}`,
    async ask(method, target, question = {}) {
      const whole = new URL(target, url);
      const answer = await send(method, whole, question);
      const challenge = answer.headers.get('www-authenticate');
      if (answer.status !== 401 || challenge === null || !(await authorize.answer(challenge))) return answer;
      return send(method, whole, question);
    },
    async startUpload(repository, query = '') {
      const answer = await subject.ask('POST', `/v2/${repository}/blobs/uploads/${query}`);
      assert.equal(answer.status, 202);
      return locationOf(answer, url);
    },
    async pushBlob(repository, bytes, digest = digestOf(bytes)) {
      const location = await subject.startUpload(repository);
      const headers = { 'content-type': 'application/octet-stream' };
      const answer = await subject.ask('PUT', withDigest(location, digest), { headers, body: bytes });
      assert.equal(answer.status, 201);
      return { mediaType: 'application/octet-stream', digest, size: bytes.length };
    },
    async putManifest(repository, reference, { document, mediaType = MediaType.manifest, ...given }) {
      const bytes = given.bytes ?? Buffer.from(JSON.stringify(document));
      const path = `/v2/${repository}/manifests/${reference}`;
      const answer = await subject.ask('PUT', path, { headers: { 'content-type': mediaType }, body: bytes });
      return { descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length }, bytes, answer };
    },
    async pushImage(repository, reference, { layers = [noise()], fields = {} } = {}) {
      const document = {
        schemaVersion: 2,
        mediaType: MediaType.manifest,
        config: { ...(await subject.pushBlob(repository, Buffer.from('{}'))), mediaType: MediaType.config },
        layers: await Promise.all(
          layers.map(async (layer) => ({
            ...(await subject.pushBlob(repository, layer)),
            mediaType: MediaType.layer,
          })),
        ),
        ...fields,
      };
      const bytes = Buffer.from(JSON.stringify(document));
      const pushed = await subject.putManifest(repository, reference ?? digestOf(bytes), { bytes });
      assert.equal(pushed.answer.status, 201);
      return pushed;
    },
  };
  return subject;
}
