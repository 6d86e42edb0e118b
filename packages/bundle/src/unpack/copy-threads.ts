import type { Worker } from 'node:worker_threads';
import { copyThreads } from '../limits.ts';
import type { StartTreeCopyOptions, TreeLayers } from '../rootfs/overlay/copy-tree.ts';
import { type TransferredError, unpackError } from './error-transfer.ts';
import { startWorker } from './start-worker.ts';

/** What a thread is told to copy. */
export interface CopyRequest extends StartTreeCopyOptions {
  readonly target: string;
}

/** What it tells. */
export type CopyReply =
  | { readonly type: 'copied' }
  | { readonly type: 'finished' }
  | { readonly type: 'failed'; readonly error: TransferredError };

/** Options of {@link copyTreeInThreads}. */
export interface CopyInThreadsOptions extends TreeLayers {
  readonly signal?: AbortSignal | undefined;
}

/** Copies as `copyTree` does, on several threads: for trees that take longer than starting them. */
export async function copyTreeInThreads(
  target: string,
  { signal, layers, form }: CopyInThreadsOptions,
): Promise<void> {
  signal?.throwIfAborted();
  const stop = new SharedArrayBuffer(1);
  const workers = Array.from({ length: copyThreads }, () => startWorker('copy-worker', { stop }));
  const onAbort = (): void => void Atomics.store(new Uint8Array(stop), 0, 1);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const copied = workers.map((worker, index) => {
      const request: CopyRequest = { target, layers, form, part: { index, of: copyThreads } };
      return ask(worker, request);
    });
    // All of them, also when one failed: nothing may be written any more when this returns.
    const failures: unknown[] = [];
    const onFailure = (error: unknown): void => {
      onAbort();
      failures.push(error);
    };
    await Promise.all(copied.map((part) => part.catch(onFailure)));
    // The first one ended the others.
    if (failures.length > 0) throw failures[0];
    const [first] = workers;
    if (first !== undefined) await ask(first, 'finish');
    signal?.throwIfAborted();
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

/** Sends a message and waits for the answer. Rejects with what failed in the thread, or with what ended it. */
function ask(worker: Worker, message: CopyRequest | 'finish'): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onMessage = (reply: CopyReply): void =>
    reply.type === 'failed' ? reject(unpackError(reply.error)) : resolve();
  const onExit = (): void => reject(new Error('the copy-worker ended'));
  worker.once('message', onMessage);
  worker.once('error', reject);
  worker.once('exit', onExit);
  worker.postMessage(message);
  return promise.finally(() => {
    worker.off('message', onMessage);
    worker.off('error', reject);
    worker.off('exit', onExit);
  });
}
