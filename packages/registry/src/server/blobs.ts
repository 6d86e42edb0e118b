import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import {
  abortable,
  type Descriptor,
  type Digest,
  isOciError,
  parseDigest,
  removeBlob,
  verifiedStream,
} from '@ocijs/image';
import { digestHeaders, type Exchange, sendEmpty, sentNotModified } from './exchange.ts';
import { RequestFailure } from './failure.ts';
import { type ByteRange, parseRange } from './range.ts';

/**
 * GET and HEAD of a blob, whole or in part. The bytes go out as the layout holds them: whoever asked for a digest
 * verifies it, and a part could not be verified here.
 */
export async function getBlob(exchange: Exchange, digestText: string): Promise<void> {
  const { store, request, response, signal } = exchange;
  const digest = parseDigest(digestText);
  const size = await sizeOf(exchange, digest);
  if (size === undefined) throw new RequestFailure(404, ['BLOB_UNKNOWN', `no blob ${digest}`]);
  if (sentNotModified(exchange, digest)) return;
  const headers = {
    'accept-ranges': 'bytes',
    'content-type': 'application/octet-stream',
    ...digestHeaders(digest),
  };
  const range = wantsPart(exchange, digest) ? parseRange(request.headers.range, size) : undefined;
  if (range === 'unsatisfiable') {
    throw new RequestFailure(416, ['SIZE_INVALID', `blob has ${size} bytes`], {
      headers: { 'content-range': `bytes */${size}` },
    });
  }
  const part = range ?? { start: 0, end: size - 1 };
  const partial = range === undefined ? {} : { 'content-range': `bytes ${part.start}-${part.end}/${size}` };
  const length = { 'content-length': part.end - part.start + 1 };
  response.writeHead(range === undefined ? 200 : 206, { ...headers, ...partial, ...length });
  if (request.method === 'HEAD' || size === 0) {
    response.end();
    return;
  }
  const descriptor: Descriptor = { mediaType: headers['content-type'], digest, size };
  const file = store.file?.(digest);
  if (file === undefined) {
    await pipeline(slice(store.read(descriptor, { signal }), part), response, { signal });
    return;
  }
  const body = createReadStream(file, part);
  try {
    await pipeline(body, response, { signal });
  } finally {
    // A client that is gone already makes pipeline() throw before it takes charge of the file.
    body.destroy();
  }
}

/** A client that only asks whether a blob is there is about to name it: then it has to stay. */
async function sizeOf({ store, request, protection }: Exchange, digest: Digest): Promise<number | undefined> {
  const size = await store.size(digest);
  if (size === undefined || request.method !== 'HEAD') return size;
  await protection.protectIfWritable(digest);
  return store.size(digest);
}

/** A range counts for GET only, and not when it is meant for other content (RFC 9110, sections 14.2 and 13.1.5). */
function wantsPart({ request }: Exchange, digest: Digest): boolean {
  const condition = request.headers['if-range'];
  return request.method === 'GET' && (condition === undefined || condition === `"${digest}"`);
}

/**
 * DELETE of a blob. All repositories share their blobs, so one that a manifest with a name needs, in whatever repository,
 * stays: its image would be damaged. That is answered as disabled deletion is (405).
 */
export async function deleteBlob(exchange: Exchange, digestText: string): Promise<void> {
  const digest = parseDigest(digestText);
  await exchange.protection.release(digest);
  const verdict = await removeBlob(exchange.store, digest, { signal: exchange.signal });
  if (verdict === undefined) throw new RequestFailure(404, ['BLOB_UNKNOWN', `no blob ${digest}`]);
  if (verdict.kept)
    throw new RequestFailure(405, ['UNSUPPORTED', `blob ${digest} is needed: delete its manifests first`]);
  sendEmpty(exchange, 202);
}

async function* slice(
  source: AsyncIterable<Uint8Array>,
  { start, end }: ByteRange,
): AsyncGenerator<Uint8Array> {
  let offset = 0;
  for await (const chunk of source) {
    const from = Math.max(start - offset, 0);
    const to = Math.min(end + 1 - offset, chunk.byteLength);
    if (from < to) yield chunk.subarray(from, to);
    offset += chunk.byteLength;
  }
}

/** Bytes that claim to have a digest. */
export interface BlobClaim {
  readonly digest: Digest;
  readonly size: number;
  readonly source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** Verifies bytes and makes them a blob of the store; answers 400 when they are not what they claim to be. */
export async function storeBlob(
  { store, protection, signal }: Exchange,
  { digest, size, source }: BlobClaim,
): Promise<void> {
  const descriptor: Descriptor = { mediaType: 'application/octet-stream', digest, size };
  await protection.protect([digest]);
  try {
    if ((await store.size(digest)) !== undefined) {
      // The claim is checked all the same: a client that sends wrong bytes learns it now.
      for await (const _ of verifiedStream(iterate(source), { digest, size, signal }))
        signal.throwIfAborted();
      return;
    }
    await using ingest = await store.ingest(descriptor, { signal });
    try {
      if (ingest.offset > 0) await ingest.reset();
      for await (const chunk of abortable(iterate(source), signal)) await ingest.write(chunk);
      if (ingest.offset < size)
        throw new RequestFailure(400, ['SIZE_INVALID', `blob has less than ${size} bytes`]);
    } catch (error) {
      await ingest.reset();
      throw error;
    }
    // Hashed as it was written: it is committed only when the digest is right.
    await ingest.commit();
  } catch (error) {
    if (isOciError(error, 'ERR_OCI_DIGEST_MISMATCH') || isOciError(error, 'ERR_OCI_SIZE_MISMATCH')) {
      throw new RequestFailure(400, ['DIGEST_INVALID', error.message]);
    }
    throw error;
  }
}

async function* iterate(source: BlobClaim['source']): AsyncGenerator<Uint8Array> {
  yield* source;
}
