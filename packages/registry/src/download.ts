import {
  type BlobStatus,
  type ContentStore,
  type Descriptor,
  ImageError,
  type Ingest,
  isOciError,
  type OnEvent,
} from '@ocijs/image';
import { type BlobBody, explainForeign, openBlob, progressSince } from './blobs.ts';
import { downloadPieces, isForPieces, type PiecesOutcome } from './download-pieces.ts';
import { createDownloadWriter, type DownloadWriter } from './download-writer.ts';
import { type BlobProgress, trackBlob } from './progress.ts';
import type { Session } from './session.ts';
import type { Lane } from './transport/pace.ts';

/** A blob that is to be in a store. */
export interface DownloadTarget {
  readonly repository: string;
  readonly descriptor: Descriptor;
  readonly store: ContentStore;
  readonly signal?: AbortSignal | undefined;
  /** Default: that of the session. */
  readonly onEvent?: OnEvent | undefined;
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
  const progress = trackBlob(descriptor, target.onEvent ?? session.options.onEvent);
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
  const start = ingest.offset;
  const transfer = { ...target, ingest, reused: start, received: 0 };
  progress.start(start);
  if (start < size) await receive(session, transfer);
  signal?.throwIfAborted();
  await ingest.commit();
  const { reused, received } = transfer;
  const status = reused > 0 ? 'resumed' : 'fetched';
  progress.done(status);
  return { status, received, reused };
}

interface Transfer extends DownloadTarget {
  readonly ingest: Ingest;
  readonly progress: BlobProgress;
  /** Nothing that came so far is trusted, nor how the registry cuts the blob. */
  readonly fresh: boolean;
  reused: number;
  received: number;
}

async function receive(session: Session, transfer: Transfer): Promise<void> {
  const { descriptor, ingest, signal, fresh } = transfer;
  const lane = await session.pace.enter(signal);
  try {
    let whole: BlobBody | undefined;
    if (!fresh && isForPieces(session, descriptor.size - ingest.offset)) {
      const outcome = await receivePieces(session, { transfer, lane });
      if (outcome === 'complete') return;
      if (outcome !== 'no-ranges') whole = outcome;
    }
    const attempt = async (): Promise<void> => {
      const opened = whole ?? (await openBlob(session, { ...transfer, offset: ingest.offset }));
      whole = undefined;
      await receiveRest(session, transfer, opened);
    };
    await session.retrying(attempt, { signal, progressed: progressSince(() => ingest.offset) });
  } finally {
    lane.release();
  }
}

async function receivePieces(
  session: Session,
  { transfer, lane }: { readonly transfer: Transfer; readonly lane: Lane },
): Promise<PiecesOutcome> {
  const writer = writerFor(session, transfer);
  const onReceived = (bytes: number): void => {
    transfer.received += bytes;
  };
  return downloadPieces(session, { ...transfer, writer, lane, onReceived });
}

/** Takes what one answer brings. What arrived is written, also when the connection breaks. */
async function receiveRest(session: Session, transfer: Transfer, { offset, body }: BlobBody): Promise<void> {
  const { descriptor, ingest } = transfer;
  if (ingest.offset >= descriptor.size) return;
  if (offset !== ingest.offset) {
    await ingest.reset();
    transfer.reused = 0;
  }
  const writer = writerFor(session, transfer);
  try {
    for await (const chunk of body) {
      transfer.received += chunk.length;
      await writer.write(chunk);
    }
  } finally {
    await writer.flush();
  }
  if (ingest.offset < descriptor.size) throw short(descriptor, ingest.offset);
}

function writerFor(session: Session, { ingest, progress }: Transfer): DownloadWriter {
  return createDownloadWriter(ingest, {
    recycle: (chunk) => session.recycle(chunk),
    onWritten: (position) => progress.moved(position),
  });
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
