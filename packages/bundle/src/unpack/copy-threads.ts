import type { Worker } from 'node:worker_threads';
import { copyHelpEntries } from '../limits.ts';
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

/** Options of {@link copyTreeInThreads}. */
export interface CopyInThreadsOptions extends CopyTreeOptions {
  /** From how many files on a second thread helps. */
  readonly helpFrom?: number;
}

/** Copies as `copyTree` does, and with the help of a second thread when the tree is large. */
export async function copyTreeInThreads(
  target: string,
  { signal, layers, form, helpFrom = copyHelpEntries }: CopyInThreadsOptions,
): Promise<void> {
  signal?.throwIfAborted();
  using copy = startTreeCopy(target, { layers, form });
  await inTurns(copy.makeDirectories(), { signal });
  const isLarge = copy.entries() >= helpFrom;
  const linked = isLarge ? await fillTogether(copy, { target, layers, signal }) : [];
  if (!isLarge) await inTurns(copy.fill(copy.directories), { signal });
  await inTurns(copy.finish(linked), { signal });
}

interface Together extends Pick<CopyTreeOptions, 'layers' | 'signal'> {
  readonly target: string;
}

/** Returns what the other thread came across and left. */
async function fillTogether(
  copy: TreeCopy,
  { target, layers, signal }: Together,
): Promise<readonly LinkedFile[]> {
  const { directories } = copy;
  const data = { stop: new SharedArrayBuffer(1) };
  const queue = createCopyQueue();
  const failed = new AbortController();
  const stopped = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  const onAbort = (): void => void Atomics.store(new Uint8Array(data.stop), 0, 1);
  stopped.addEventListener('abort', onAbort, { once: true });
  const worker = startWorker('copy-worker', data);
  try {
    const help = ask(worker, { target, layers, directories, queue });
    help.catch((error: unknown) => failed.abort(error));
    await inTurns(copy.fill(takeDirectories(queue, directories)), { signal: stopped });
    return closeQueue(queue) ? await help : [];
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    stopped.removeEventListener('abort', onAbort);
    onAbort();
    // Nothing may be written any more when this returns.
    await worker.terminate();
  }
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
