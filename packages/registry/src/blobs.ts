import { type Descriptor, ImageError, verifiedStream } from '@ocijs/image';
import { endpoints } from './endpoints.ts';
import { RegistryError } from './errors.ts';
import { retryResetBytes } from './limits.ts';
import { type CallOptions, pullScopes } from './manifests.ts';
import type { RegistryRequest, Session } from './session.ts';
import { redactUrl } from './transport/redact.ts';
import type { HttpResponse } from './transport/response.ts';

/** A blob in a repository. */
export interface BlobTarget extends CallOptions {
  readonly repository: string;
  readonly descriptor: Descriptor;
}

/** Bytes of a blob from an offset on; not verified yet. */
export interface BlobBody {
  /** Where the bytes start: what was asked for, or 0 when the registry does not serve ranges. */
  readonly offset: number;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Asks whether a repository has a blob. A blob of another size counts as absent. */
export function hasBlob(session: Session, { repository, descriptor, signal }: BlobTarget): Promise<boolean> {
  return session.retrying(
    async () => {
      const response = await session.request({
        ...blobRequest({ repository, descriptor, signal }),
        method: 'HEAD',
        accept: [200, 404],
      });
      await response.discard();
      if (response.status === 404) return false;
      const length = response.header('content-length');
      return length === undefined || Number(length) === descriptor.size;
    },
    { signal },
  );
}

/**
 * Starts reading a blob at an offset. Throws ERR_OCI_SIZE_MISMATCH when the registry announces another size.
 */
export async function openBlob(
  session: Session,
  target: BlobTarget & { readonly offset: number },
): Promise<BlobBody> {
  const { descriptor, offset } = target;
  const response = await session.request({
    ...blobRequest(target),
    method: 'GET',
    ...(offset === 0 ? {} : { headers: { range: `bytes=${offset}-` } }),
    accept: offset === 0 ? [200] : [200, 206, 416],
  });
  if (response.status === 416) {
    await response.discard();
    return openBlob(session, { ...target, offset: 0 });
  }
  if (response.status === 200) {
    await checkTotal(response, { descriptor, total: response.header('content-length') });
    return { offset: 0, body: response.body };
  }
  const range = parseContentRange(response.header('content-range'));
  if (range?.start !== offset) {
    await response.discard();
    // Bytes from another place would only be noticed when the whole blob has arrived.
    return openBlob(session, { ...target, offset: 0 });
  }
  await checkTotal(response, { descriptor, total: range.total });
  return { offset, body: response.body };
}

/** Bytes of a blob between two offsets; not verified yet. */
export interface BlobRange {
  readonly start: number;
  /** The first byte behind it. */
  readonly end: number;
}

/** What a registry answers to the question for a range. */
export type RangeBody =
  /** The range, or a shorter one from the same start. */
  | (BlobBody & { readonly kind: 'range'; readonly end: number })
  /** The whole blob. */
  | (BlobBody & { readonly kind: 'whole' })
  /** Something else: the registry does not serve ranges as RFC 9110 section 14 says. */
  | { readonly kind: 'refused' };

/** Statuses by which registries and proxies refuse a range that they could serve. */
const noRanges: readonly number[] = [400, 405, 416, 501];

/**
 * Asks for a range of a blob. What is not exactly the range that was asked for, or its beginning, is not used.
 * Throws ERR_OCI_SIZE_MISMATCH when the registry announces another size of the blob.
 */
export async function openBlobRange(
  session: Session,
  target: BlobTarget & { readonly range: BlobRange },
): Promise<RangeBody> {
  const { descriptor, range } = target;
  const response = await session.request({
    ...blobRequest(target),
    method: 'GET',
    headers: { range: `bytes=${range.start}-${range.end - 1}` },
    accept: [200, 206, ...noRanges],
  });
  const { body } = response;
  const length = response.header('content-length');
  if (response.status === 200 && range.start === 0) {
    await checkTotal(response, { descriptor, total: length });
    return { kind: 'whole', offset: 0, body };
  }
  const found = response.status === 206 ? parseContentRange(response.header('content-range')) : undefined;
  const isBeginning =
    found !== undefined &&
    found.start === range.start &&
    found.end > found.start &&
    found.end <= range.end &&
    (length === undefined || Number(length) === found.end - found.start);
  if (!isBeginning) {
    await response.discard();
    return { kind: 'refused' };
  }
  await checkTotal(response, { descriptor, total: found.total });
  return { kind: 'range', offset: found.start, end: found.end, body };
}

function parseContentRange(
  value: string | undefined,
): (BlobRange & { readonly total: string | undefined }) | undefined {
  const [, first, last, total] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(value ?? '') ?? [];
  if (first === undefined || last === undefined) return undefined;
  return { start: Number(first), end: Number(last) + 1, total: total === '*' ? undefined : total };
}

/** Streams a whole blob, verified; a broken connection is resumed where it broke. */
export function getBlob(session: Session, target: BlobTarget): AsyncIterable<Uint8Array> {
  const { descriptor, signal = session.options.signal } = target;
  return verifiedStream(resumedBytes(session, target), {
    digest: descriptor.digest,
    size: descriptor.size,
    ...(signal === undefined ? {} : { signal }),
  });
}

async function* resumedBytes(session: Session, target: BlobTarget): AsyncGenerator<Uint8Array> {
  const { descriptor, signal } = target;
  let position = 0;
  const retries = session.retries({ signal, progressed: progressSince(() => position) });
  while (position < descriptor.size) {
    try {
      const { offset, body } = await openBlob(session, { ...target, offset: position });
      let skip = position - offset;
      for await (const chunk of body) {
        const fresh = chunk.subarray(Math.min(skip, chunk.length));
        skip -= chunk.length - fresh.length;
        position += fresh.length;
        if (fresh.length > 0) yield fresh;
      }
      return;
    } catch (error) {
      await retries.failed(error);
    }
  }
}

/** True when enough bytes came since the last call for a new start of the counting of failures. */
export function progressSince(position: () => number): () => boolean {
  let last = position();
  return () => {
    const moved = position() - last >= retryResetBytes;
    if (moved) last = position();
    return moved;
  };
}

function blobRequest(target: BlobTarget): Pick<RegistryRequest, 'target' | 'what' | 'scopes' | 'signal'> {
  const { repository, descriptor, signal } = target;
  return {
    target: endpoints.blob(repository, descriptor.digest),
    what: `blob ${repository}@${descriptor.digest}`,
    scopes: pullScopes(repository),
    signal,
  };
}

async function checkTotal(
  response: HttpResponse,
  { descriptor, total }: { readonly descriptor: Descriptor; readonly total: string | undefined },
): Promise<void> {
  if (total === undefined || Number(total) === descriptor.size) return;
  await response.discard();
  throw new ImageError(
    'ERR_OCI_SIZE_MISMATCH',
    `blob ${descriptor.digest} has ${Number(total)} bytes in the registry, but its descriptor says ${descriptor.size}`,
    {
      expected: descriptor.size,
      actual: Number(total),
      digest: descriptor.digest,
      url: redactUrl(response.url),
      hint: 'the blob in the registry is damaged or the manifest is wrong; push the image again',
    },
  );
}

/** True for layers that image-spec 1.0 said not to distribute, and for layers of elsewhere. */
export function isForeign({ mediaType, urls }: Descriptor): boolean {
  return (urls !== undefined && urls.length > 0) || /nondistributable|foreign/.test(mediaType);
}

/** A layer that registries need not have; its `urls` are never asked, since they may point anywhere. */
export function explainForeign(error: unknown, descriptor: Descriptor): unknown {
  if (!(error instanceof RegistryError) || error.code !== 'ERR_OCI_REGISTRY_NOT_FOUND') return error;
  if (!isForeign(descriptor)) return error;
  return new RegistryError(
    error.code,
    `layer ${descriptor.digest} is not in the registry (non-distributable)`,
    {
      cause: error,
      digest: descriptor.digest,
      hint: 'layers are taken from the registry only; get the layer from its vendor and push it to your registry',
    },
  );
}
