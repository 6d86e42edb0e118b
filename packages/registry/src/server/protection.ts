import { type Digest, isOciError, type Lease, type Store } from '@ocijs/image';

/** Keeps from garbage collection what clients have pushed and not named yet. */
export interface Protection extends AsyncDisposable {
  /** Protects blobs for an hour at least. Look whether they are there afterwards: what is there then stays. */
  protect(digests: readonly Digest[]): Promise<void>;
  /** The same when the layout can be written to at all; elsewhere nothing is pushed or collected. */
  protectIfWritable(digest: Digest): Promise<void>;
  /** Gives a blob up that a client wants deleted. */
  release(digest: Digest): Promise<void>;
}

/** How long a lease takes up blobs; then a new one does, and the one before it is given up. */
const turnMs = 60 * 60 * 1000;

interface Turn {
  readonly lease: Lease;
  readonly digests: Set<Digest>;
  readonly began: number;
}

/**
 * Clients push blobs first and name them by a manifest later, perhaps much later, or never. Two leases take turns, so
 * that a blob is safe for one to two hours after it was last pushed or asked for, and then left to collection.
 */
export function createProtection(
  store: Store,
  { now = Date.now }: { readonly now?: () => number } = {},
): Protection {
  let turns: readonly Turn[] = [];
  let queue: Promise<unknown> = Promise.resolve();
  /** One after the other: a lease must not be given up while blobs are added to it. */
  const exclusively = <T>(work: () => Promise<T>): Promise<T> => {
    const result = queue.then(work);
    queue = result.catch(() => undefined);
    return result;
  };
  const openTurn = async (digests: Iterable<Digest>, began: number): Promise<Turn> => {
    const taken = new Set(digests);
    const lease = await store.lease({ digests: taken, purpose: 'push to the embedded registry' });
    return { lease, digests: taken, began };
  };
  const protect = (digests: readonly Digest[]): Promise<void> =>
    exclusively(async () => {
      const [current, ...before] = turns;
      if (current === undefined || now() - current.began >= turnMs) {
        turns = [await openTurn(digests, now()), ...(current === undefined ? [] : [current])];
        for (const { lease } of before) await lease[Symbol.asyncDispose]();
        return;
      }
      const more = digests.filter((digest) => !current.digests.has(digest));
      if (more.length === 0) return;
      await current.lease.add(more);
      for (const digest of more) current.digests.add(digest);
    });
  return {
    protect,
    async protectIfWritable(digest) {
      try {
        await protect([digest]);
      } catch (error) {
        if (!isOciError(error, 'ERR_OCI_STORE_DENIED')) throw error;
      }
    },
    release: (digest) =>
      exclusively(async () => {
        const kept: Turn[] = [];
        for (const turn of turns) {
          if (!turn.digests.has(digest)) {
            kept.push(turn);
            continue;
          }
          const others = [...turn.digests].filter((each) => each !== digest);
          // The new lease comes before the old one goes, so that the others are never without.
          kept.push(await openTurn(others, turn.began));
          await turn.lease[Symbol.asyncDispose]();
        }
        turns = kept;
      }),
    [Symbol.asyncDispose]: () =>
      exclusively(async () => {
        for (const { lease } of turns) await lease[Symbol.asyncDispose]();
        turns = [];
      }),
  };
}
