import {
  type Digest,
  digestAlgorithm,
  digestBytes,
  ImageError,
  isDigest,
  isIndexType,
  isManifestType,
  MediaType,
  parseManifestOrIndex,
} from '@ocijs/image';
import { repositoryScope } from './auth/scope.ts';
import { mediaTypeOf } from './content-type.ts';
import { endpoints } from './endpoints.ts';
import { RegistryError } from './errors.ts';
import { limits } from './limits.ts';
import { checkRepository, isTag } from './names.ts';
import type { Session } from './session.ts';
import { type HttpResponse, readBody } from './transport/response.ts';

/** What a registry says about a manifest without sending it. Nothing of it is verified. */
export interface ManifestHead {
  readonly digest: Digest | undefined;
  readonly mediaType: string | undefined;
  /** In bytes. */
  readonly size: number | undefined;
}

/** A manifest or index, byte for byte; `digest` was computed from the bytes. */
export interface FetchedManifest {
  readonly bytes: Uint8Array;
  readonly digest: Digest;
  /** As the document itself says, or else the registry. */
  readonly mediaType: string;
}

/** Options of one call; without a signal, the client's holds. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

const accept = [
  MediaType.index,
  MediaType.manifest,
  MediaType.dockerManifestList,
  MediaType.dockerManifest,
  // Asked for only to say clearly that it is not supported.
  `${MediaType.dockerManifestSchema1Signed};q=0.1`,
].join(', ');

/** Asks which manifest a tag or digest names. Throws ERR_OCI_REGISTRY_NOT_FOUND. */
export function headManifest(
  session: Session,
  { repository, reference, signal }: ManifestTarget,
): Promise<ManifestHead> {
  return session.retrying(
    async () => {
      const response = await session.request({
        ...readRequest('HEAD', { repository, reference }),
        signal,
      });
      await response.discard();
      const length = response.header('content-length');
      return {
        digest: digestHeader(response),
        mediaType: manifestType(response),
        size: length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined,
      };
    },
    { signal },
  );
}

/** A manifest by tag or digest. */
export interface ManifestTarget extends CallOptions {
  readonly repository: string;
  readonly reference: string;
}

/**
 * Fetches a manifest or index, at most 4 MiB, checks its bytes against the digest that was asked for (or, by
 * tag, that the registry announced) and its shape. A mismatch is retried once. Throws
 * ERR_OCI_DIGEST_MISMATCH, ERR_OCI_REGISTRY_NOT_FOUND.
 */
export async function getManifest(session: Session, target: ManifestTarget): Promise<FetchedManifest> {
  try {
    return await session.retrying(() => fetchManifest(session, target), target);
  } catch (error) {
    target.signal?.throwIfAborted();
    if ((error as { code?: unknown }).code !== 'ERR_OCI_DIGEST_MISMATCH') throw error;
    return session.retrying(() => fetchManifest(session, target), target);
  }
}

async function fetchManifest(
  session: Session,
  { repository, reference, signal }: ManifestTarget,
): Promise<FetchedManifest> {
  const response = await session.request({ ...readRequest('GET', { repository, reference }), signal });
  const what = manifestName(repository, reference);
  const bytes = await readBody(response, { limit: limits.manifestBytes, what });
  const expected = isDigest(reference) ? reference : digestHeader(response);
  const digest = digestBytes(bytes, expected === undefined ? 'sha256' : digestAlgorithm(expected));
  if (expected !== undefined && digest !== expected) {
    throw new ImageError('ERR_OCI_DIGEST_MISMATCH', `${what}: the bytes do not have the digest ${expected}`, {
      expected,
      actual: digest,
      digest: expected,
      hint: 'the registry, or something in front of it, sends other content; nothing was stored',
    });
  }
  const announced = manifestType(response);
  const { mediaType } = parseManifestOrIndex(bytes, announced === undefined ? {} : { mediaType: announced });
  return { bytes, digest, mediaType };
}

/** Uploads a manifest byte for byte; its blobs must be there already. */
export async function putManifest(
  session: Session,
  target: ManifestTarget & { readonly bytes: Uint8Array; readonly mediaType: string },
): Promise<{ readonly subjectKnown: boolean }> {
  const { repository, reference, bytes, mediaType, signal } = target;
  const what = manifestName(repository, reference);
  return session.retrying(
    async () => {
      const response = await session.request({
        method: 'PUT',
        target: endpoints.manifest(repository, checkedReference(reference)),
        headers: { 'content-type': mediaType },
        body: bytes,
        what,
        accept: [201, 200, 202],
        scopes: pushScopes(repository),
        signal,
      });
      await response.discard();
      checkStored(response, { what, bytes });
      return { subjectKnown: response.header('oci-subject') !== undefined };
    },
    { signal },
  );
}

/** A registry that rewrites manifests breaks every signature and pinned digest. */
function checkStored(
  response: HttpResponse,
  { what, bytes }: { readonly what: string; readonly bytes: Uint8Array },
): void {
  const stored = digestHeader(response);
  if (stored === undefined) return;
  const own = digestBytes(bytes, digestAlgorithm(stored));
  if (stored === own) return;
  throw new RegistryError(
    'ERR_OCI_REGISTRY_PROTOCOL',
    `${what}: the registry stored other bytes than it was sent`,
    {
      expected: own,
      actual: stored,
    },
  );
}

/** The token scopes of reading and of writing a repository. */
export function pullScopes(repository: string): readonly string[] {
  return [repositoryScope(repository, ['pull']) ?? ''];
}

/** See {@link pullScopes}. */
export function pushScopes(repository: string): readonly string[] {
  return [repositoryScope(repository, ['pull', 'push']) ?? ''];
}

function readRequest(
  method: 'GET' | 'HEAD',
  { repository, reference }: { readonly repository: string; readonly reference: string },
): {
  readonly method: 'GET' | 'HEAD';
  readonly target: string;
  readonly headers: { readonly accept: string };
  readonly what: string;
  readonly accept: readonly number[];
  readonly scopes: readonly string[];
} {
  return {
    method,
    target: endpoints.manifest(repository, checkedReference(reference)),
    headers: { accept },
    what: manifestName(repository, reference),
    accept: [200],
    scopes: pullScopes(repository),
  };
}

/** `repository:tag` or `repository@digest`, for messages. */
function manifestName(repository: string, reference: string): string {
  return `manifest ${checkRepository(repository)}${isDigest(reference) ? '@' : ':'}${reference}`;
}

function checkedReference(reference: string): string {
  if (isDigest(reference) || isTag(reference)) return reference;
  throw new ImageError('ERR_OCI_REFERENCE_INVALID', `"${reference}" is neither a tag nor a digest`, {
    reference,
  });
}

function digestHeader(response: HttpResponse): Digest | undefined {
  const value = response.header('docker-content-digest');
  // Other algorithms than ours say nothing to us.
  return value !== undefined && isDigest(value) && /^(?:sha256|sha512|blake3):/.test(value)
    ? value
    : undefined;
}

/** The type a registry announces; types that say nothing (`application/json`, `text/plain`) count as none. */
function manifestType(response: HttpResponse): string | undefined {
  const type = mediaTypeOf(response.header('content-type'));
  if (type === undefined) return undefined;
  const known =
    isIndexType(type) || isManifestType(type) || type.startsWith('application/vnd.docker.distribution.');
  return known ? type : undefined;
}
