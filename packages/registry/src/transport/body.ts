import type { Readable } from 'node:stream';
import { limits } from '../limits.ts';
import { connectionError } from './connection-error.ts';

/**
 * The body of an answer in the pieces in which it arrived. (An iterator over a stream joins the pieces that wait, which
 * copies all bytes when the reader is slower than the network.) A broken connection throws
 * ERR_OCI_REGISTRY_UNAVAILABLE; a reader that stops early closes the connection.
 */
export async function* bodyChunks(
  body: Readable,
  { url, signal }: { readonly url: URL; readonly signal: AbortSignal | undefined },
): AsyncGenerator<Uint8Array, void, undefined> {
  let queue: Uint8Array[] = [];
  let waiting = 0;
  let end: { readonly error: unknown } | 'ended' | undefined;
  let wake: (() => void) | undefined;
  const changed = (): void => {
    wake?.();
    wake = undefined;
  };
  const onData = (chunk: Uint8Array): void => {
    queue.push(chunk);
    waiting += chunk.length;
    if (waiting >= limits.readAheadBytes) body.pause();
    changed();
  };
  const onEnd = (): void => {
    end ??= 'ended';
    changed();
  };
  const onError = (error: unknown): void => {
    end ??= { error };
    changed();
  };
  const onClose = (): void => onError(body.errored);
  body.on('end', onEnd).on('error', onError).on('close', onClose).on('data', onData);
  // What broke before anybody listened is not said again.
  if (body.destroyed) onError(body.errored);
  try {
    for (;;) {
      const ready = queue;
      queue = [];
      waiting = 0;
      if (ready.length > 0) {
        if (body.isPaused()) body.resume();
        yield* ready;
      } else if (end === 'ended') return;
      else if (end !== undefined) throw end.error;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw connectionError(error, url);
  } finally {
    if (end !== 'ended') {
      // What breaks now is of no interest any more.
      body.on('error', () => undefined);
      body.destroy();
    }
  }
}
