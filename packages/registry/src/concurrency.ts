/**
 * Runs work for every item, at most `limit` at a time, in the order given. At the first failure the others
 * are aborted; the failure is thrown when all have ended, so that nothing goes on behind the caller's back.
 */
export async function forEachConcurrently<T>(
  items: readonly T[],
  options: {
    readonly limit: number;
    readonly signal?: AbortSignal | undefined;
    readonly work: (item: T, signal: AbortSignal) => Promise<void>;
  },
): Promise<void> {
  const failed = new AbortController();
  const signal =
    options.signal === undefined ? failed.signal : AbortSignal.any([options.signal, failed.signal]);
  const queue = items.values();
  let failure: { readonly error: unknown } | undefined;

  const runLane = async (): Promise<void> => {
    for (const item of queue) {
      if (failure !== undefined || signal.aborted) return;
      try {
        await options.work(item, signal);
      } catch (error) {
        failure ??= { error };
        failed.abort(error);
        return;
      }
    }
  };

  options.signal?.throwIfAborted();
  const lanes = Math.min(Math.max(1, Math.floor(options.limit)), items.length);
  await Promise.all(Array.from({ length: lanes }, runLane));
  options.signal?.throwIfAborted();
  if (failure !== undefined) throw failure.error;
}

/** Waits for a promise that other callers share, but no longer than the own signal allows. */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
