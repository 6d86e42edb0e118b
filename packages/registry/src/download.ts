import { type BlobStatus, type ContentStore, type Descriptor, ImageError, isOciError } from '@ocijs/image';
import { explainForeign, openBlob, progressSince } from './blobs.ts';
import { type BlobProgress, trackBlob } from './progress.ts';
import type { Session } from './session.ts';

/** A blob that is to be in a store. */
export interface DownloadTarget {
  readonly repository: string;
  readonly descriptor: Descriptor;
  readonly store: ContentStore;
  readonly signal?: AbortSignal | undefined;
}

/** How a blob came into the store. */
export interface Download {
  readonly status: BlobStatus;
  /** Bytes that came over the network, with those of attempts that failed. */
  readonly received: number;
  /** Bytes that had been there before. */
  readonly reused: number;
}

/**
 * Brings a blob into the store, verified. A broken connection is resumed, also over several runs of the
 * program; a blob with a wrong digest or size is fetched once more from its beginning. Throws
 * ERR_OCI_DIGEST_MISMATCH, ERR_OCI_SIZE_MISMATCH.
 */
export async function downloadBlob(session: Session, target: DownloadTarget): Promise<Download> {
  const { descriptor, store } = target;
  const progress = trackBlob(descriptor, session.options.onEvent);
  if ((await store.size(descriptor.digest)) === descriptor.size) {
    progress.done('reused');
    return { status: 'reused', received: 0, reused: descriptor.size };
  }
  try {
    return await fill(session, { ...target, progress, fresh: false });
  } catch (error) {
    target.signal?.throwIfAborted();
    if (!isCorrupt(error)) throw explainForeign(error, descriptor);
    const reason = (error as Error).message;
    session.options.onEvent?.({ type: 'retry', url: '', attempt: 1, delayMs: 0, reason });
    return fill(session, { ...target, progress, fresh: true });
  }
}

async function fill(
  session: Session,
  target: DownloadTarget & { readonly progress: BlobProgress; readonly fresh: boolean },
): Promise<Download> {
  const { descriptor, store, signal, progress, fresh } = target;
  const { digest, size } = descriptor;
  await using ingest = await store.ingest(descriptor, { signal });
  // Another process may have had the ingest, and have finished it.
  if ((await store.size(digest)) === size) {
    progress.done('reused');
    return { status: 'reused', received: 0, reused: size };
  }
  if (fresh) await ingest.reset();
  let position = ingest.offset;
  let reused = position;
  let received = 0;
  progress.start(position);
  const transfer = async (): Promise<void> => {
    if (position >= size) return;
    const { offset, body } = await openBlob(session, { ...target, offset: position });
    if (offset !== position) {
      await ingest.reset();
      position = 0;
      reused = 0;
    }
    for await (const chunk of body) {
      await ingest.write(chunk);
      position += chunk.length;
      received += chunk.length;
      progress.moved(position);
    }
    if (position < size) throw short(descriptor, position);
  };
  await session.retrying(transfer, { signal, progressed: progressSince(() => position) });
  signal?.throwIfAborted();
  await ingest.commit();
  const status = reused > 0 ? 'resumed' : 'fetched';
  progress.done(status);
  return { status, received, reused };
}

function isCorrupt(error: unknown): boolean {
  return isOciError(error, 'ERR_OCI_DIGEST_MISMATCH') || isOciError(error, 'ERR_OCI_SIZE_MISMATCH');
}

function short({ digest, size }: Descriptor, actual: number): ImageError {
  return new ImageError('ERR_OCI_SIZE_MISMATCH', `blob ${digest} ended after ${actual} of ${size} bytes`, {
    expected: size,
    actual,
    digest,
  });
}
