import type { BlobStatus } from '@ocijs/image';
import { repositoryScope } from './auth/scope.ts';
import { type BlobTarget, hasBlob } from './blobs.ts';
import { endpoints } from './endpoints.ts';
import { RegistryError } from './errors.ts';
import { timeouts } from './limits.ts';
import { pushScopes } from './manifests.ts';
import type { RegistryRequest, Session } from './session.ts';
import { resolveOwnTarget } from './transport/redirect.ts';
import type { HttpResponse } from './transport/response.ts';
import { sendChunks } from './upload-chunks.ts';

/** A blob to upload. */
export interface UploadTarget extends BlobTarget {
  /** Opens the blob's bytes from their beginning; called again for every attempt. */
  open(): AsyncIterable<Uint8Array>;
  /** Another repository of the same registry that is thought to have the blob. */
  readonly mountFrom?: string | undefined;
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
 * one PUT, or, where that is refused or keeps breaking, in pieces. A failed or aborted upload is cancelled.
 */
export async function uploadBlob(
  session: Session,
  target: UploadTarget,
): Promise<Extract<BlobStatus, 'exists' | 'mounted' | 'pushed'>> {
  const { repository, mountFrom, signal } = target;
  if (await hasBlob(session, target)) return 'exists';
  let opened: UploadSession | undefined;
  if (mountFrom !== undefined && mountFrom !== repository) {
    const answer = await tryMount(session, { ...target, mountFrom });
    if (answer === 'mounted') return answer;
    opened = answer;
  }
  let inChunks = false;
  let attempts = 0;
  await session.retrying(
    async () => {
      attempts++;
      // Proxies that dislike a large body often just hang up.
      if (attempts > 2) inChunks = true;
      try {
        const upload = opened ?? (await openUpload(session, target));
        opened = undefined;
        await uploadOnce(session, { ...target, upload, inChunks });
      } catch (error) {
        const status = error instanceof RegistryError ? error.facts.status : undefined;
        if (inChunks || status === undefined || !wantsChunks.has(status)) throw error;
        inChunks = true;
        await uploadOnce(session, { ...target, upload: await openUpload(session, target), inChunks });
      }
    },
    { signal },
  );
  return 'pushed';
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

async function uploadOnce(
  session: Session,
  target: UploadTarget & { readonly upload: UploadSession; readonly inChunks: boolean },
): Promise<void> {
  try {
    if (target.inChunks) await sendChunks(session, target);
    else await sendWhole(session, target);
  } catch (error) {
    await cancelUpload(session, { ...target, location: target.upload.location });
    throw error;
  }
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
  const { descriptor, upload, open, onProgress } = target;
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
