import type { BlobStatus } from '@ocijs/image';
import { repositoryScope } from './auth/scope.ts';
import { type BlobTarget, hasBlob } from './blobs.ts';
import { endpoints } from './endpoints.ts';
import { RegistryError } from './errors.ts';
import { limits, timeouts } from './limits.ts';
import { pushScopes } from './manifests.ts';
import type { RegistryRequest, Session } from './session.ts';
import { resolveOwnTarget } from './transport/redirect.ts';
import type { HttpResponse } from './transport/response.ts';
import { sendChunks, uploadedBytes } from './upload-chunks.ts';

/** A blob to upload. */
export interface UploadTarget extends BlobTarget {
  /** Opens the blob's bytes from their beginning; called again for every attempt. */
  open(): AsyncIterable<Uint8Array>;
  /** The same in chunks that are only good until a few more were read; for bytes that are passed on at once. */
  readonly openPassing?: (() => AsyncIterable<Uint8Array>) | undefined;
  /** Other repositories of the same registry that are thought to have the blob, the likeliest first. */
  readonly mountFrom?: string | readonly string[] | undefined;
  /** Bytes of the present attempt that were handed to the connection. */
  readonly onProgress?: ((sent: number) => void) | undefined;
}

/** An upload that the registry has opened: where it goes on, and how large its pieces must at least be. */
export interface UploadSession {
  location: URL;
  readonly minimumChunk: number;
}

/** Statuses by which registries and proxies refuse a blob in one piece. */
const wantsChunks: ReadonlySet<number> = new Set([405, 411, 413, 415, 501]);

/**
 * Brings a blob into a repository: not at all when it is there, by mounting it from another repository, in
 * one PUT, or, where that is refused or keeps breaking, in pieces. After a broken connection the upload goes on where
 * the registry says that it is. One that fails in the end, or is aborted, is cancelled.
 */
export async function uploadBlob(
  session: Session,
  target: UploadTarget,
): Promise<Extract<BlobStatus, 'exists' | 'mounted' | 'pushed'>> {
  const lane = await session.pace.enter(target.signal);
  try {
    if (await hasBlob(session, target)) return 'exists';
    const opened = await mountFirst(session, target);
    if (opened === 'mounted') return opened;
    await new Upload(session, target, opened).run();
    return 'pushed';
  } finally {
    lane.release();
  }
}

/** Asks one repository after the other. The upload that a registry opened instead of the last mount is used. */
async function mountFirst(
  session: Session,
  target: UploadTarget,
): Promise<'mounted' | UploadSession | undefined> {
  const { mountFrom = [], repository } = target;
  const named = typeof mountFrom === 'string' ? [mountFrom] : mountFrom;
  let opened: UploadSession | undefined;
  for (const from of named.filter((name) => name !== repository).slice(0, limits.mountAttempts)) {
    if (opened !== undefined) await cancelUpload(session, { ...target, location: opened.location });
    const answer = await tryMount(session, { ...target, mountFrom: from });
    if (answer === 'mounted') return answer;
    opened = answer;
  }
  return opened;
}

/** The attempts at one upload. */
class Upload {
  readonly #session: Session;
  readonly #target: UploadTarget;
  #open: UploadSession | undefined;
  #inChunks = false;
  #attempts = 0;

  constructor(session: Session, target: UploadTarget, opened: UploadSession | undefined) {
    this.#session = session;
    this.#target = target;
    this.#open = opened;
  }

  async run(): Promise<void> {
    try {
      await this.#session.retrying(() => this.#attempt(), { signal: this.#target.signal });
    } catch (error) {
      await this.#cancel();
      throw error;
    }
  }

  async #attempt(): Promise<void> {
    this.#attempts++;
    // Proxies that dislike a large body often just hang up.
    if (this.#attempts > 2) this.#inChunks = true;
    const start = await this.#arrived();
    try {
      await this.#send(start);
    } catch (error) {
      const { status } = error instanceof RegistryError ? error.facts : {};
      const refusesWhole = !this.#inChunks && status !== undefined && wantsChunks.has(status);
      // What an interrupted connection left at the registry may be something else than was sent.
      const refusesRest = start > 0 && status !== undefined && status >= 400 && status < 500;
      // A registry of several machines, or one that was started anew, may not know what it opened.
      const isForgotten = status === 404;
      if (!refusesWhole && !refusesRest && !isForgotten) throw error;
      this.#inChunks ||= refusesWhole;
      await this.#cancel();
      await this.#send(0);
    }
  }

  /** How much of the blob the registry has from the attempt before; what cannot be gone on with is given up. */
  async #arrived(): Promise<number> {
    if (this.#attempts === 1 || this.#open === undefined) return 0;
    const { size } = this.#target.descriptor;
    const received = await uploadedBytes(this.#session, { ...this.#target, upload: this.#open });
    if (received !== undefined && received > 0 && received <= size) return received;
    await this.#cancel();
    return 0;
  }

  async #send(start: number): Promise<void> {
    this.#open ??= await openUpload(this.#session, this.#target);
    const upload = { ...this.#target, upload: this.#open, start };
    if (this.#inChunks || start > 0) await sendChunks(this.#session, upload);
    else await sendWhole(this.#session, upload);
  }

  async #cancel(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    if (open !== undefined) await cancelUpload(this.#session, { ...this.#target, location: open.location });
  }
}

/**
 * Without the right to read the other repository, a token service may refuse any token: the upload needs none
 * for it.
 */
async function tryMount(
  session: Session,
  target: BlobTarget & { readonly mountFrom: string },
): Promise<'mounted' | UploadSession | undefined> {
  try {
    return await session.retrying(() => mountBlob(session, target), target);
  } catch (error) {
    const isRefusal = error instanceof RegistryError && refusals.has(error.code);
    if (!isRefusal) throw error;
    return undefined;
  }
}

const refusals: ReadonlySet<string> = new Set([
  'ERR_OCI_REGISTRY_UNAUTHORIZED',
  'ERR_OCI_REGISTRY_DENIED',
  'ERR_OCI_REGISTRY_NOT_FOUND',
]);

/**
 * Asks for a mount; a registry that does not do it may open an upload instead, or refuse for whatever reason.
 */
async function mountBlob(
  session: Session,
  target: BlobTarget & { readonly mountFrom: string },
): Promise<'mounted' | UploadSession | undefined> {
  const { repository, mountFrom, descriptor, signal } = target;
  const scopes = [...pushScopes(repository), repositoryScope(mountFrom, ['pull']) ?? ''];
  const response = await session.request({
    method: 'POST',
    target: endpoints.mount(repository, { digest: descriptor.digest, from: mountFrom }),
    headers: { 'content-length': '0' },
    what: uploadName(target),
    accept: [201, 202, 400, 401, 403, 404, 405, 500],
    scopes,
    signal,
  });
  await response.discard();
  if (response.status === 201) return 'mounted';
  return response.status === 202 ? uploadSession(session, response) : undefined;
}

async function openUpload(session: Session, target: BlobTarget): Promise<UploadSession> {
  const response = await session.request({
    ...uploadRequest(target),
    method: 'POST',
    target: endpoints.uploads(target.repository),
    headers: { 'content-length': '0' },
    accept: [202],
  });
  await response.discard();
  return uploadSession(session, response);
}

function uploadSession(session: Session, response: HttpResponse): UploadSession {
  const minimum = response.header('oci-chunk-min-length');
  return {
    location: locationOf(session, response),
    minimumChunk: minimum !== undefined && /^\d{1,12}$/.test(minimum) ? Number(minimum) : 0,
  };
}

async function sendWhole(
  session: Session,
  target: UploadTarget & { readonly upload: UploadSession },
): Promise<void> {
  const { descriptor, upload, onProgress } = target;
  const open = target.openPassing ?? target.open;
  const response = await session.request({
    ...uploadRequest(target),
    method: 'PUT',
    target: withDigest(upload.location, descriptor.digest),
    headers: { 'content-type': 'application/octet-stream', 'content-length': String(descriptor.size) },
    body: descriptor.size === 0 ? new Uint8Array() : () => counted(open(), onProgress),
    accept: [201, 204],
  });
  await response.discard();
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  onProgress: ((sent: number) => void) | undefined,
): AsyncGenerator<Uint8Array> {
  let sent = 0;
  for await (const chunk of source) {
    yield chunk;
    sent += chunk.length;
    onProgress?.(sent);
  }
}

/** Tells the registry to forget an upload; the reason for the cancellation is what the caller hears of. */
async function cancelUpload(
  session: Session,
  target: BlobTarget & { readonly location: URL },
): Promise<void> {
  try {
    const response = await session.request({
      ...uploadRequest(target),
      method: 'DELETE',
      target: target.location,
      accept: [200, 202, 204, 400, 401, 403, 404, 405, 500, 501, 502, 503],
      // The caller's own signal may be what ended the upload.
      signal: AbortSignal.timeout(timeouts.cancelUpload),
    });
    await response.discard();
  } catch (error) {
    const message = `upload of ${target.descriptor.digest} could not be cancelled: ${(error as Error).message}`;
    session.options.onEvent?.({ type: 'warning', code: 'UPLOAD_NOT_CANCELLED', message });
  }
}

/** Where the upload goes on: at the registry, or where it says, without our credentials then. */
export function locationOf(session: Session, response: HttpResponse): URL {
  const location = response.header('location');
  if (location === undefined) {
    throw new RegistryError(
      'ERR_OCI_REGISTRY_PROTOCOL',
      `${session.registry} opened an upload without a location`,
      {
        status: response.status,
      },
    );
  }
  return resolveOwnTarget(location, { from: response.url, registry: session.host, what: 'upload location' });
}

/** The request that ends an upload names the digest; what the location carries stays as it was written. */
export function withDigest(location: URL, digest: string): URL {
  const url = new URL(location);
  const parameter = `digest=${encodeURIComponent(digest)}`;
  url.search = url.search === '' ? parameter : `${url.search}&${parameter}`;
  return url;
}

/** What all requests of an upload share. */
export function uploadRequest(target: BlobTarget): Pick<RegistryRequest, 'what' | 'scopes' | 'signal'> {
  return { what: uploadName(target), scopes: pushScopes(target.repository), signal: target.signal };
}

function uploadName({ repository, descriptor }: BlobTarget): string {
  return `upload of ${descriptor.digest} to ${repository}`;
}
