import type { Worker } from 'node:worker_threads';
import type { DirectoryToFill, LinkedFile, TreeLayers } from '../rootfs/overlay/copy-files.ts';
import { type CopyTreeOptions, inTurns, startTreeCopy, type TreeCopy } from '../rootfs/overlay/copy-tree.ts';
import { type CopyQueue, closeQueue, createCopyQueue, takeDirectories } from './copy-queue.ts';
import { type TransferredError, unpackError } from './error-transfer.ts';
import { startWorker } from './start-worker.ts';

/** What a thread is told to copy. */
export interface CopyRequest extends Pick<TreeLayers, 'layers'> {
  readonly target: string;
  readonly directories: readonly DirectoryToFill[];
  readonly queue: CopyQueue;
}

/** What it tells. */
export type CopyReply =
  | { readonly type: 'copied'; readonly linked: readonly LinkedFile[] }
  | { readonly type: 'failed'; readonly error: TransferredError };

/**
 * Copies as `copyTree` does, with the help of a second thread from the moment on in which that has started: for trees that
 * take longer than starting it.
 */
export async function copyTreeInThreads(
  target: string,
  { signal, layers, form }: CopyTreeOptions,
): Promise<void> {
  signal?.throwIfAborted();
  const stop = new SharedArrayBuffer(1);
  const worker = startWorker('copy-worker', { stop });
  const onAbort = (): void => void Atomics.store(new Uint8Array(stop), 0, 1);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    using copy = startTreeCopy(target, { layers, form });
    await inTurns(copy.makeDirectories(), { signal });
    const queue = createCopyQueue();
    const help = ask(worker, { target, layers, directories: copy.directories, queue });
    const linked = await fillTogether(copy, { queue, help, signal });
    await inTurns(copy.finish(linked), { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    onAbort();
    // Nothing may be written any more when this returns.
    await worker.terminate();
  }
}

interface Together {
  readonly queue: CopyQueue;
  /** What the other thread came across and left. */
  readonly help: Promise<readonly LinkedFile[]>;
  readonly signal: AbortSignal | undefined;
}

async function fillTogether(
  copy: TreeCopy,
  { queue, help, signal }: Together,
): Promise<readonly LinkedFile[]> {
  const failed = new AbortController();
  help.catch((error: unknown) => failed.abort(error));
  const stop = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  await inTurns(copy.fill(takeDirectories(queue, copy.directories)), { signal: stop });
  return closeQueue(queue) ? help : [];
}

/** Sends the request and waits for the answer. Rejects with what failed in the thread, or with what ended it. */
async function ask(worker: Worker, request: CopyRequest): Promise<readonly LinkedFile[]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly LinkedFile[]>();
  worker.once('message', (reply: CopyReply) =>
    reply.type === 'failed' ? reject(unpackError(reply.error)) : resolve(reply.linked),
  );
  worker.once('error', reject);
  worker.once('exit', () => reject(new Error('the copy-worker ended')));
  worker.postMessage(request);
  return promise;
}
