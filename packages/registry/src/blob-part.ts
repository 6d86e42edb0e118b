import { type BlobRange, type BlobTarget, openBlobRange, progressSince, type RangeBody } from './blobs.ts';
import { RegistryError } from './errors.ts';
import type { Session } from './session.ts';

/** A part of a blob in a repository. */
export interface BlobPartTarget extends BlobTarget {
  readonly range: BlobRange;
}

/**
 * Streams a part of a blob, not verified; a broken connection is resumed where it broke. Undefined when the registry
 * only serves whole blobs. Throws ERR_OCI_SIZE_MISMATCH when the registry announces another size of the blob.
 */
export async function getBlobPart(
  session: Session,
  target: BlobPartTarget,
): Promise<AsyncIterable<Uint8Array> | undefined> {
  const { signal } = target;
  const opened = await session.retrying(() => openBlobRange(session, target), { signal });
  if (opened.kind === 'range') return partBytes(session, { ...target, opened });
  await close(opened);
  return undefined;
}

async function* partBytes(
  session: Session,
  { opened, ...target }: BlobPartTarget & { readonly opened: RangeBody },
): AsyncGenerator<Uint8Array, void, undefined> {
  const { range, signal } = target;
  let answer: RangeBody | undefined = opened;
  let position = range.start;
  const retries = session.retries({ signal, progressed: progressSince(() => position) });
  while (position < range.end) {
    try {
      answer ??= await openBlobRange(session, { ...target, range: { start: position, end: range.end } });
      const before = position;
      if (answer.kind !== 'range') {
        await close(answer);
        throw protocolError(target, 'parts are served no longer');
      }
      for await (const chunk of answer.body) {
        position += chunk.length;
        if (position > range.end) throw protocolError(target, 'a range was sent that is too long');
        yield chunk;
      }
      if (position === before) throw protocolError(target, 'an empty range was sent');
    } catch (error) {
      await retries.failed(error);
    }
    answer = undefined;
  }
}

async function close(answer: RangeBody): Promise<void> {
  if (answer.kind === 'refused') return;
  // Leaving a body before its end closes the connection.
  for await (const _ of answer.body) break;
}

function protocolError({ descriptor }: BlobPartTarget, what: string): RegistryError {
  return new RegistryError('ERR_OCI_REGISTRY_PROTOCOL', `blob ${descriptor.digest}: ${what}`, {
    retryable: true,
  });
}
