/**
 * The same stream, ended by a signal even while the source is silent: the reader gets `signal.reason` at once.
 * The source's `return()` is called whenever the reading stops before the source's own end. After an abort it is
 * not waited for, since a source that never answers would hold the reader; its failure is then the abort's.
 */
export async function* abortable<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T> {
  if (signal === undefined) yield* source;
  else yield* race(source, signal);
}

async function* race<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  signal.throwIfAborted();
  const iterator = source[Symbol.asyncIterator]();
  let abortNext: (() => void) | undefined;
  // One listener for the whole stream and a fresh promise per chunk: racing one promise that lives as long as
  // the stream would keep every chunk in memory.
  const onAbort = (): void => abortNext?.();
  const next = (): Promise<IteratorResult<T>> =>
    new Promise((resolve, reject) => {
      abortNext = () => reject(signal.reason);
      iterator.next().then(resolve, reject);
    });
  signal.addEventListener('abort', onAbort, { once: true });
  let open = true;
  try {
    for (;;) {
      signal.throwIfAborted();
      const result = await next().catch((error: unknown) => {
        // A source that failed has ended; one that was cut off by the signal has not.
        open = signal.aborted;
        throw error;
      });
      if (result.done === true) {
        open = false;
        return;
      }
      yield result.value;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    if (open) await close(iterator, signal);
  }
}

async function close<T>(iterator: AsyncIterator<T>, signal: AbortSignal): Promise<void> {
  const closing = iterator.return?.();
  if (closing === undefined) return;
  if (signal.aborted) closing.catch(() => signal.reason);
  else await closing;
}
