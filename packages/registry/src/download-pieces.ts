import { type BlobRange, type BlobTarget, openBlobRange, progressSince, type RangeBody } from './blobs.ts';
import type { DownloadWriter } from './download-writer.ts';
import { RegistryError } from './errors.ts';
import { limits, pieces } from './limits.ts';
import type { Session } from './session.ts';
import type { Lane } from './transport/pace.ts';

/** A large blob on its way. */
export interface PiecesTarget extends BlobTarget {
  readonly writer: DownloadWriter;
  /** The right to the first connection; others are taken as they are free. */
  readonly lane: Lane;
  readonly onReceived: (bytes: number) => void;
}

/** How a download in pieces ended. */
export type PiecesOutcome =
  | 'complete'
  /** The registry does not serve ranges, or says so and sends something else: go on without them. */
  | 'no-ranges'
  /** The same, and it sends the whole blob instead. */
  | (RangeBody & { readonly kind: 'whole' });

/** One range under way: its bytes wait here until those before it are written. */
interface Piece extends BlobRange {
  chunks: Uint8Array[];
  /** Bytes of those. */
  waiting: number;
  received: number;
  isDone: boolean;
}

/** Sessions whose registry was seen not to serve ranges. */
const withoutRanges = new WeakSet<Session>();

/** True for what is worth several connections. */
export function isForPieces(session: Session, missingBytes: number): boolean {
  return missingBytes >= pieces.from && !withoutRanges.has(session);
}

/**
 * Fetches what is missing of a blob in ranges, over as many connections as nobody else needs. The first answer
 * shows whether the registry serves ranges. The bytes reach the writer in their order, so that an interrupted
 * download is resumed where the file ends; what is ahead of it waits in memory, and is limited there.
 */
export async function downloadPieces(session: Session, target: PiecesTarget): Promise<PiecesOutcome> {
  const { descriptor, writer, lane } = target;
  const first = takePiece(writer.position, descriptor.size);
  const answer = await session.retrying(() => openBlobRange(session, { ...target, range: first }), target);
  if (answer.kind !== 'range') {
    withoutRanges.add(session);
    return answer.kind === 'whole' ? answer : 'no-ranges';
  }
  return new PieceDownload(session, target).run({ lane, piece: first, answer });
}

function takePiece(start: number, size: number): Piece {
  return {
    start,
    end: Math.min(start + pieces.size, size),
    chunks: [],
    waiting: 0,
    received: 0,
    isDone: false,
  };
}

/** Ends all lanes of one download. */
class NoRanges extends Error {}

class PieceDownload {
  readonly #session: Session;
  readonly #target: PiecesTarget;
  readonly #signal: AbortSignal;
  readonly #failed = new AbortController();
  /** In the order of the blob; the first one is being written. */
  readonly #open: Piece[] = [];
  #next: number;
  #running = 0;
  #changed: (() => void)[] = [];

  constructor(session: Session, target: PiecesTarget) {
    this.#session = session;
    this.#target = target;
    this.#next = target.writer.position;
    this.#signal =
      target.signal === undefined
        ? this.#failed.signal
        : AbortSignal.any([target.signal, this.#failed.signal]);
    this.#signal.addEventListener('abort', () => this.#wake(), { once: true });
  }

  async run(first: {
    readonly lane: Lane;
    readonly piece: Piece;
    readonly answer: RangeBody;
  }): Promise<PiecesOutcome> {
    const { piece, answer, lane } = first;
    this.#open.push(piece);
    this.#next = piece.end;
    const lanes: Promise<void>[] = [];
    const start = (own: Lane, work: Promise<void>): void => {
      this.#running++;
      const ended = work
        .catch((error: unknown) => this.#failed.abort(error))
        .finally(() => {
          this.#running--;
          // The first lane is the caller's.
          if (own !== lane) own.release();
          this.#wake();
        });
      lanes.push(ended);
    };
    start(lane, this.#fetchFirst(piece, answer));
    const enlist = (): void => {
      while (this.#running < pieces.lanes && this.#hasWork(this.#running + 1)) {
        const own = this.#session.pace.tryEnter();
        if (own === undefined) return;
        start(own, this.#fetchMore(own));
      }
    };
    try {
      await this.#writeInOrder(enlist);
      return 'complete';
    } catch (error) {
      this.#failed.abort(error);
      this.#wake();
      await Promise.all(lanes);
      this.#target.signal?.throwIfAborted();
      const reason: unknown = this.#failed.signal.reason;
      if (!(reason instanceof NoRanges)) throw reason;
      withoutRanges.add(this.#session);
      return 'no-ranges';
    } finally {
      await Promise.all(lanes);
      await this.#target.writer.flush();
    }
  }

  async #fetchFirst(piece: Piece, answer: RangeBody): Promise<void> {
    await this.#fetch(piece, answer);
    await this.#fetchMore(undefined);
  }

  /** Fetches one piece after the other; a helper's lane is given up when there are too many. */
  async #fetchMore(own: Lane | undefined): Promise<void> {
    while (this.#next < this.#target.descriptor.size && own?.isExcess !== true) {
      this.#signal.throwIfAborted();
      if (!this.#hasWork(this.#running)) {
        await this.#change();
        continue;
      }
      const piece = takePiece(this.#next, this.#target.descriptor.size);
      this.#next = piece.end;
      this.#open.push(piece);
      await this.#fetch(piece, undefined);
    }
  }

  /**
   * Whether a piece may be begun: as many as there are lanes wait in memory at most, but for the rest of one that is
   * being written.
   */
  #hasWork(lanes: number): boolean {
    const waiting = this.#open.length - (this.#open[0]?.isDone === true ? 1 : 0);
    return this.#next < this.#target.descriptor.size && waiting < lanes;
  }

  /** Whether the connection has to wait for the disk: what is being written need not wait in memory as well. */
  #isAhead(piece: Piece): boolean {
    return piece === this.#open[0] && piece.waiting >= limits.readAheadBytes && !this.#signal.aborted;
  }

  async #fetch(piece: Piece, given: RangeBody | undefined): Promise<void> {
    let answer = given;
    const progressed = progressSince(() => piece.received);
    await this.#session.retrying(
      async () => {
        while (piece.start + piece.received < piece.end) {
          const range = { start: piece.start + piece.received, end: piece.end };
          const body =
            answer ?? (await openBlobRange(this.#session, { ...this.#target, signal: this.#signal, range }));
          answer = undefined;
          if (body.kind === 'refused') throw new NoRanges();
          await this.#receive(piece, body);
        }
      },
      { signal: this.#signal, progressed },
    );
    piece.isDone = true;
    this.#wake();
  }

  async #receive(piece: Piece, body: Exclude<RangeBody, { readonly kind: 'refused' }>): Promise<void> {
    const before = piece.received;
    for await (const chunk of body.body) {
      this.#signal.throwIfAborted();
      // Also where a registry sends everything although it was asked for a part.
      if (body.kind === 'whole' || piece.start + piece.received + chunk.length > piece.end)
        throw new NoRanges();
      piece.chunks.push(chunk);
      piece.waiting += chunk.length;
      piece.received += chunk.length;
      this.#target.onReceived(chunk.length);
      this.#wake();
      while (this.#isAhead(piece)) await this.#change();
    }
    if (piece.received > before) return;
    const what = `blob ${this.#target.descriptor.digest}`;
    throw new RegistryError('ERR_OCI_REGISTRY_PROTOCOL', `${what}: an empty range was sent`, {
      retryable: true,
    });
  }

  async #writeInOrder(enlist: () => void): Promise<void> {
    const { writer, descriptor } = this.#target;
    while (writer.position < descriptor.size) {
      this.#signal.throwIfAborted();
      enlist();
      const [head] = this.#open;
      const ready = head?.chunks ?? [];
      if (head !== undefined) {
        head.chunks = [];
        head.waiting = 0;
      }
      for (const chunk of ready) await writer.write(chunk);
      if (ready.length > 0) this.#wake();
      if (head?.isDone === true && head.chunks.length === 0) {
        this.#open.shift();
        this.#wake();
      } else if (ready.length === 0) await this.#change();
    }
  }

  #change(): Promise<void> {
    if (this.#signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.#changed.push(resolve);
    });
  }

  #wake(): void {
    for (const resolve of this.#changed.splice(0)) resolve();
  }
}
