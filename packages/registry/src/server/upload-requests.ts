import { type DigestAlgorithm, parseDigest } from '@ocijs/image';
import { storeBlob } from './blobs.ts';
import { announcedLength, type Exchange, sendEmpty } from './exchange.ts';
import { RequestFailure } from './failure.ts';
import { parseContentRange } from './range.ts';
import { checkedRepository } from './routes.ts';
import type { Upload } from './uploads.ts';

/** Which session of which repository a request is about. */
export interface UploadTarget {
  readonly repository: string;
  readonly id: string;
}

/** What `?digest-algorithm=` may say: every algorithm that content can be verified with. */
const digestAlgorithms: ReadonlySet<string> = new Set<DigestAlgorithm>(['sha256', 'sha512', 'blake3']);

/** Bytes that are read at once when an upload becomes a blob. */
const readSize = 1024 * 1024;

/** POST: opens a session, or stores the blob at once (`?digest=`), or finds it already here (`?mount=`). */
export async function postUpload(exchange: Exchange, repository: string): Promise<void> {
  const query = exchange.url.searchParams;
  const digest = query.get('digest');
  const mount = query.get('mount');
  checkAlgorithm(query.get('digest-algorithm'));
  if (mount !== null) {
    const from = query.get('from');
    if (from !== null) checkedRepository(from);
    const wanted = wantedDigest(mount);
    await exchange.protection.protect([wanted]);
    if ((await exchange.store.size(wanted)) !== undefined) return sendCreated(exchange, repository, mount);
  }
  if (digest !== null) {
    const size = announcedLength(exchange);
    if (size === undefined) throw new RequestFailure(411, ['SIZE_INVALID', 'content length is missing']);
    refuseAbove(exchange.limits.blobSize, size);
    await storeBlob(exchange, { digest: wantedDigest(digest), size, source: exchange.request });
    return sendCreated(exchange, repository, digest);
  }
  sendProgress(exchange, await exchange.uploads.start(repository), 202);
}

/** GET: how many bytes have arrived. */
export function getUpload(exchange: Exchange, { repository, id }: UploadTarget): void {
  sendProgress(exchange, exchange.uploads.get(repository, id), 204);
}

/** DELETE: gives the upload up. */
export async function deleteUpload(exchange: Exchange, { repository, id }: UploadTarget): Promise<void> {
  const upload = exchange.uploads.get(repository, id);
  await exclusively(upload, () => exchange.uploads.remove(upload));
  sendEmpty(exchange, 204);
}

/** PATCH: appends the body. */
export async function patchUpload(exchange: Exchange, { repository, id }: UploadTarget): Promise<void> {
  const upload = exchange.uploads.get(repository, id);
  await exclusively(upload, () => append(exchange, upload));
  sendProgress(exchange, upload, 202);
}

/** PUT: appends the body, if any, then checks everything against `?digest=` and stores it. Ends the session either way. */
export async function putUpload(exchange: Exchange, { repository, id }: UploadTarget): Promise<void> {
  const digestText = exchange.url.searchParams.get('digest');
  if (digestText === null)
    throw new RequestFailure(400, ['DIGEST_INVALID', 'query parameter digest is missing']);
  const digest = wantedDigest(digestText);
  const upload = exchange.uploads.get(repository, id);
  await exclusively(upload, async () => {
    await append(exchange, upload);
    try {
      await storeBlob(exchange, { digest, size: upload.size, source: bytesOf(upload) });
    } finally {
      await exchange.uploads.remove(upload);
    }
  });
  sendCreated(exchange, repository, digest);
}

/** What has arrived; each chunk is overwritten by the next. */
async function* bytesOf({ file, size }: Upload): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafe(Math.min(size, readSize));
  for (let position = 0; position < size; ) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function exclusively(upload: Upload, work: () => Promise<void>): Promise<void> {
  if (upload.busy)
    throw new RequestFailure(409, ['BLOB_UPLOAD_INVALID', 'another request is writing to this upload']);
  upload.busy = true;
  try {
    await work();
  } finally {
    upload.busy = false;
    upload.used = Date.now();
  }
}

async function append(exchange: Exchange, upload: Upload): Promise<void> {
  const range = parseContentRange(exchange.request.headers['content-range']);
  const length = announcedLength(exchange);
  if (range === 'invalid') throw new RequestFailure(400, ['SIZE_INVALID', 'content range is malformed']);
  if (range !== undefined && range.start !== upload.size) {
    throw new RequestFailure(416, ['BLOB_UPLOAD_INVALID', `next chunk starts at byte ${upload.size}`], {
      headers: { location: locationOf(upload), range: receivedRange(upload) },
    });
  }
  if (range !== undefined && length !== undefined && range.end - range.start + 1 !== length) {
    throw new RequestFailure(400, ['SIZE_INVALID', 'content range and content length differ']);
  }
  const limit = Math.min(
    exchange.limits.blobSize,
    range === undefined ? Number.POSITIVE_INFINITY : range.end + 1,
  );
  refuseAbove(limit, upload.size + (length ?? 0));
  for await (const chunk of exchange.request.iterator({ destroyOnReturn: false })) {
    refuseAbove(limit, upload.size + chunk.byteLength);
    await upload.file.write(chunk, 0, chunk.byteLength, upload.size);
    upload.size += chunk.byteLength;
  }
}

function refuseAbove(limit: number, size: number): void {
  if (size > limit) throw new RequestFailure(413, ['SIZE_INVALID', `blob is larger than ${limit} bytes`]);
}

function checkAlgorithm(algorithm: string | null): void {
  if (algorithm === null || digestAlgorithms.has(algorithm)) return;
  throw new RequestFailure(400, ['DIGEST_INVALID', 'digest algorithm is not supported']);
}

function wantedDigest(text: string): ReturnType<typeof parseDigest> {
  try {
    return parseDigest(text);
  } catch (error) {
    throw new RequestFailure(400, [
      'DIGEST_INVALID',
      error instanceof Error ? error.message : 'digest is malformed',
    ]);
  }
}

function locationOf({ repository, id }: Upload): string {
  return `/v2/${repository}/blobs/uploads/${id}`;
}

/** `0-<last byte>`; nothing received is written `0-0`, as docker-registry does. */
function receivedRange({ size }: Upload): string {
  return `0-${Math.max(size - 1, 0)}`;
}

function sendProgress(exchange: Exchange, upload: Upload, status: number): void {
  sendEmpty(exchange, status, {
    location: locationOf(upload),
    range: receivedRange(upload),
    'docker-upload-uuid': upload.id,
  });
}

function sendCreated(exchange: Exchange, repository: string, digest: string): void {
  sendEmpty(exchange, 201, {
    location: `/v2/${repository}/blobs/${digest}`,
    'docker-content-digest': digest,
  });
}
