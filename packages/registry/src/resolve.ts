import {
  type Descriptor,
  type Digest,
  ImageError,
  isIndexType,
  isManifestType,
  type Reference,
} from '@ocijs/image';
import { RegistryError } from './errors.ts';
import { limits } from './limits.ts';
import { type CallOptions, type FetchedManifest, getManifest, headManifest } from './manifests.ts';
import type { Session } from './session.ts';

/** What a reference names at the moment, and its bytes when they had to be fetched to know. */
export interface Resolved {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array | undefined;
}

/** A reference to resolve. */
export interface ResolveRequest {
  readonly reference: Reference;
  /** Besides a digest in the reference: what the answer must be. */
  readonly expectDigest?: Digest | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Resolves a tag or digest with one HEAD where the registry answers it fully, else with a GET.
 * Throws ERR_OCI_DIGEST_MISMATCH when tag and digest, or `expectDigest`, disagree.
 */
export async function resolve(session: Session, request: ResolveRequest): Promise<Resolved> {
  const { reference, signal } = request;
  const { repository, tag, digest: pinned } = reference;
  const asked = { repository, reference: tag ?? pinned ?? 'latest', signal };
  const head = await headOrNothing(session, asked);
  // A pinned digest that is asked for without a tag is its own answer; the bytes are checked when they come.
  const digest = tag === undefined && pinned !== undefined ? pinned : head?.digest;
  if (digest === undefined || head?.size === undefined || !isKnown(head.mediaType)) {
    const fetched = await getManifest(session, asked);
    checkExpected(request, fetched.digest);
    return { descriptor: describe(fetched), bytes: fetched.bytes };
  }
  checkExpected(request, digest);
  return { descriptor: { mediaType: head.mediaType, digest, size: head.size }, bytes: undefined };
}

async function headOrNothing(
  session: Session,
  asked: {
    readonly repository: string;
    readonly reference: string;
    readonly signal: AbortSignal | undefined;
  },
): Promise<Awaited<ReturnType<typeof headManifest>> | undefined> {
  try {
    const head = await headManifest(session, asked);
    return head.size !== undefined && head.size > limits.manifestBytes ? undefined : head;
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'ERR_OCI_REGISTRY_UNSUPPORTED') return undefined;
    // A HEAD has no body that says what is wrong: the same question with GET does.
    const status = error instanceof RegistryError ? error.facts.status : undefined;
    if (status === 404 || status === 400) return undefined;
    throw error;
  }
}

/** What a tag names, when it names something. */
export async function findTag(
  session: Session,
  { repository, tag, signal }: { readonly repository: string; readonly tag: string } & CallOptions,
): Promise<Descriptor | undefined> {
  const asked = { repository, reference: tag, signal };
  try {
    const head = await headManifest(session, asked);
    if (head.digest === undefined || head.size === undefined || !isKnown(head.mediaType))
      return describe(await getManifest(session, asked));
    return { mediaType: head.mediaType, digest: head.digest, size: head.size };
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'ERR_OCI_REGISTRY_NOT_FOUND') return undefined;
    throw error;
  }
}

function isKnown(mediaType: string | undefined): mediaType is string {
  return mediaType !== undefined && (isIndexType(mediaType) || isManifestType(mediaType));
}

function describe({ mediaType, digest, bytes }: FetchedManifest): Descriptor {
  return { mediaType, digest, size: bytes.length };
}

function checkExpected({ reference, expectDigest }: ResolveRequest, actual: Digest): void {
  const { digest: pinned, tag } = reference;
  if (pinned !== undefined && pinned !== actual) {
    throw mismatch(`tag ${tag} of ${reference.repository} is not ${pinned}`, { expected: pinned, actual });
  }
  if (expectDigest !== undefined && expectDigest !== actual) {
    const name = `${reference.repository}${tag === undefined ? '' : `:${tag}`}`;
    throw mismatch(`${name} is not ${expectDigest}`, { expected: expectDigest, actual });
  }
}

function mismatch(
  message: string,
  { expected, actual }: { readonly expected: Digest; readonly actual: Digest },
): ImageError {
  return new ImageError('ERR_OCI_DIGEST_MISMATCH', `${message}, but ${actual}`, {
    expected,
    actual,
    digest: expected,
    hint: 'the tag has moved, or the digest belongs to another image; nothing was stored',
  });
}

/**
 * Fetches the manifest or index of a descriptor by digest. Throws ERR_OCI_SIZE_MISMATCH,
 * ERR_OCI_DIGEST_MISMATCH.
 */
export async function fetchDescribed(
  session: Session,
  target: {
    readonly repository: string;
    readonly descriptor: Descriptor;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<Uint8Array> {
  const { repository, descriptor, signal } = target;
  const { bytes } = await getManifest(session, { repository, reference: descriptor.digest, signal });
  if (bytes.length === descriptor.size) return bytes;
  throw new ImageError(
    'ERR_OCI_SIZE_MISMATCH',
    `manifest ${descriptor.digest} has ${bytes.length} bytes, but its descriptor says ${descriptor.size}`,
    { expected: descriptor.size, actual: bytes.length, digest: descriptor.digest },
  );
}
