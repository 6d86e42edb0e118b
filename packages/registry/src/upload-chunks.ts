import { RegistryError } from './errors.ts';
import { chunks } from './limits.ts';
import type { Session } from './session.ts';
import { locationOf, type UploadSession, type UploadTarget, uploadRequest, withDigest } from './upload.ts';

/**
 * Sends a blob in pieces: PATCH for each, in order, then PUT (distribution-spec "Pushing a blob in chunks").
 */
export async function sendChunks(
  session: Session,
  target: UploadTarget & {
    readonly upload: UploadSession;
    /** Bytes that the registry has. */
    readonly start: number;
  },
): Promise<void> {
  const { descriptor, upload, onProgress } = target;
  const size = Math.max(chunks.size, upload.minimumChunk);
  if (size > chunks.most) {
    throw new RegistryError(
      'ERR_OCI_REGISTRY_UNSUPPORTED',
      `${session.registry} wants pieces of ${size} bytes, more than the ${chunks.most} that are kept in memory`,
      { limit: chunks.most, actual: size },
    );
  }
  let sent = target.start;
  for await (const piece of pieces(without(target.open(), sent), size)) {
    await patch(session, { ...target, piece, start: sent });
    sent += piece.length;
    onProgress?.(sent);
  }
  const response = await session.request({
    ...uploadRequest(target),
    method: 'PUT',
    target: withDigest(upload.location, descriptor.digest),
    headers: { 'content-length': '0' },
    accept: [201, 204],
  });
  await response.discard();
}

type PatchTarget = UploadTarget & {
  readonly upload: UploadSession;
  readonly piece: Uint8Array;
  readonly start: number;
};

/** Sends one piece; after a broken connection the registry is asked how much of it arrived. */
async function patch(session: Session, target: PatchTarget): Promise<void> {
  const { upload, piece, start } = target;
  const end = start + piece.length;
  let position = start;
  let isRepetition = false;
  await session.retrying(
    async () => {
      if (isRepetition) position = await receivedBytes(session, { ...target, position, end });
      isRepetition = true;
      if (position >= end) return;
      const response = await session.request({
        ...uploadRequest(target),
        method: 'PATCH',
        target: upload.location,
        headers: {
          'content-type': 'application/octet-stream',
          'content-length': String(end - position),
          'content-range': `${position}-${end - 1}`,
        },
        body: piece.subarray(position - start),
        accept: [202],
      });
      await response.discard();
      upload.location = locationOf(session, response);
    },
    { signal: target.signal },
  );
}

async function receivedBytes(
  session: Session,
  target: PatchTarget & { readonly position: number; readonly end: number },
): Promise<number> {
  const { start, position, end } = target;
  const answer = await uploadedBytes(session, target);
  if (answer === undefined) return position;
  // `0-0` is also how registries say that nothing has arrived.
  const received = answer === 0 ? start : answer;
  if (received >= start && received <= end) return received;
  throw new RegistryError('ERR_OCI_REGISTRY_PROTOCOL', `${session.registry} lost pieces of an upload`, {
    expected: end,
    actual: received,
  });
}

/**
 * Asks how much of an upload has arrived (distribution-spec "Pushing a blob in chunks", GET of the upload's location).
 * Undefined when the registry does not say, or does not know the upload any more; 0 when nothing, or one byte, is there.
 */
export async function uploadedBytes(
  session: Session,
  target: UploadTarget & { readonly upload: UploadSession },
): Promise<number | undefined> {
  const { upload } = target;
  const response = await session.request({
    ...uploadRequest(target),
    method: 'GET',
    target: upload.location,
    accept: [200, 202, 204, 400, 404, 405],
  });
  await response.discard();
  if (response.status >= 400) return undefined;
  if (response.header('location') !== undefined) upload.location = locationOf(session, response);
  const last = /^(?:bytes=)?0-(\d{1,15})$/.exec(response.header('range') ?? '')?.[1];
  if (last === undefined) return undefined;
  return last === '0' ? 0 : Number(last) + 1;
}

/** The stream from an offset on. */
async function* without(source: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let skip = bytes;
  for await (const chunk of source) {
    if (skip < chunk.length) yield skip === 0 ? chunk : chunk.subarray(skip);
    skip = Math.max(0, skip - chunk.length);
  }
}

/** Cuts a stream into pieces of one size; the last one may be shorter. */
async function* pieces(source: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of source) {
    let rest = chunk;
    while (length + rest.length >= size) {
      const head = rest.subarray(0, size - length);
      yield Buffer.concat([...held, head]);
      rest = rest.subarray(head.length);
      held = [];
      length = 0;
    }
    if (rest.length > 0) {
      held.push(rest);
      length += rest.length;
    }
  }
  if (length > 0) yield Buffer.concat(held);
}
