import { MessageChannel, type MessagePort, type Worker } from 'node:worker_threads';
import { ImageError } from '@ocijs/image';
import { contentThreadSize, threadHeap } from '../limits.ts';
import { hasErrno } from '../rootfs/failure.ts';
import type { ApplyWarning } from '../rootfs/layer-context.ts';
import { checkContent } from './check-content.ts';
import { createRing, type RingMemory, wakeRing } from './content-ring.ts';
import { unpackError } from './error-transfer.ts';
import type { LayerPart, LayerReply, LayerRequest, LayerTask } from './layer-task.ts';
import { type BlobSending, sendBlob } from './send-blob.ts';
import { startWorker, type WorkerName } from './start-worker.ts';

/** How long threads may take to notice that they are to stop, in milliseconds. After that they are ended by force. */
const stopTimeoutMs = 5_000;

/** What happens while a layer is applied. */
export interface LayerRunOptions {
  /** The blob's bytes, opened when the task names no file. */
  readonly openBlob: () => AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress: (done: number) => void;
  readonly onWarning: (warning: ApplyWarning) => void;
}

/** The threads that apply layers. Disposing ends them. */
export interface LayerThread extends AsyncDisposable {
  /**
   * Returns how many entries the layer had. Rejects with the layer's error or with the signal's reason. Layers are
   * written in the order of the calls, which need not wait for each other.
   */
  apply(task: LayerTask, options: LayerRunOptions): Promise<number>;
}

/** What the threads are for. */
export interface LayerThreadOptions {
  /** The compressed size of all layers, in bytes. */
  readonly totalSize: number;
}

/** The parts of one layer, as the threads report them. */
interface Parts {
  readonly read: PromiseWithResolvers<{ readonly failure: Error | undefined }>;
  readonly hashed: PromiseWithResolvers<string>;
  readonly written: PromiseWithResolvers<number>;
}

interface Job {
  readonly parts: Parts;
  readonly ring: RingMemory | undefined;
  readonly options: LayerRunOptions;
}

/**
 * Starts threads that apply layers, while the first bytes may already be on their way. Each costs some 30 ms, so a
 * small image gets one that does everything. For others one thread reads and decompresses, one hashes what
 * comes out, and one writes files; the first is ahead of the others, also into the next layer.
 */
export function startLayerThread({ totalSize }: LayerThreadOptions): LayerThread {
  const stop = new SharedArrayBuffer(1);
  const jobs = new Map<number, Job>();
  const shared = totalSize >= contentThreadSize;
  const names: readonly WorkerName[] = shared
    ? ['content-worker', 'layer-worker', 'hash-worker']
    : ['layer-worker'];
  const workers = names.map(start);
  const [source] = workers;
  let layers = 0;
  let ended: { readonly error: unknown } | undefined;
  let force: NodeJS.Timeout | undefined;

  function start(name: WorkerName): Worker {
    const worker = startWorker(name, { stop });
    worker.on('message', receive);
    worker.once('error', fail);
    worker.once('exit', () => fail(new Error(`the ${name} ended`)));
    return worker;
  }

  function fail(error: unknown): void {
    ended ??= { error: hasErrno(error, 'ERR_WORKER_OUT_OF_MEMORY') ? outOfMemory(error) : error };
    for (const { parts } of jobs.values()) {
      for (const part of [parts.read, parts.hashed, parts.written]) part.reject(ended.error);
    }
  }

  function receive(message: LayerReply): void {
    const job = jobs.get(message.layer);
    if (job === undefined) return;
    const { parts, options } = job;
    if (message.type === 'progress') options.onProgress(message.done);
    else if (message.type === 'warning') options.onWarning(message.warning);
    else if (message.type === 'read') {
      parts.read.resolve({ failure: message.failure && unpackError(message.failure) });
    } else if (message.type === 'hashed') parts.hashed.resolve(message.digest);
    else if (message.type === 'written') parts.written.resolve(message.entries);
    else parts[message.part].reject(unpackError(message.error));
  }

  function stopAll(): void {
    Atomics.store(new Uint8Array(stop), 0, 1);
    for (const { ring } of jobs.values()) if (ring !== undefined) wakeRing(ring);
    force ??= setTimeout(() => workers.forEach((worker) => void worker.terminate()), stopTimeoutMs);
  }

  function send(layer: number, task: LayerTask): { readonly ring?: RingMemory; readonly blob?: MessagePort } {
    const ring = shared ? createRing() : undefined;
    const channel = task.file === undefined ? new MessageChannel() : undefined;
    for (const worker of workers) {
      const blob = worker === source ? channel?.port2 : undefined;
      const request: LayerRequest = { layer, task, ring, blob };
      worker.postMessage(request, blob === undefined ? [] : [blob]);
    }
    return {
      ...(ring === undefined ? {} : { ring }),
      ...(channel === undefined ? {} : { blob: channel.port1 }),
    };
  }

  async function apply(task: LayerTask, options: LayerRunOptions): Promise<number> {
    options.signal?.throwIfAborted();
    if (ended !== undefined) throw ended.error;
    const layer = layers++;
    const { ring, blob } = send(layer, task);
    const parts = createParts();
    jobs.set(layer, { parts, ring, options });
    const sending = blob && sendBlob(blob, options.openBlob);
    sending?.sent.catch(() => undefined);
    const onAbort = (): void => {
      stopAll();
      sending?.stop();
    };
    options.signal?.addEventListener('abort', onAbort, { once: true });
    try {
      const entries = await outcome(task, { parts, shared, sending });
      options.signal?.throwIfAborted();
      return entries;
    } catch (error) {
      options.signal?.throwIfAborted();
      throw error;
    } finally {
      blob?.close();
      jobs.delete(layer);
      options.signal?.removeEventListener('abort', onAbort);
    }
  }

  return {
    apply,
    async [Symbol.asyncDispose]() {
      stopAll();
      clearTimeout(force);
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

/** A layer can be made so that what must be remembered of it does not fit. */
function outOfMemory(cause: Error): ImageError {
  const limit = threadHeap.maxOldGenerationSizeMb;
  return new ImageError(
    'ERR_OCI_LIMIT_EXCEEDED',
    `the layers need more than ${limit} MiB of memory to unpack`,
    {
      limit: limit * 1024 * 1024,
      cause,
      hint: 'a layer has millions of entries in directories of lower layers; look at the image',
    },
  );
}

function createParts(): Parts {
  const parts: Parts = {
    read: Promise.withResolvers(),
    hashed: Promise.withResolvers(),
    written: Promise.withResolvers(),
  };
  // Whoever waits for a layer gets the error; when nobody does any more, it is of no interest.
  for (const { promise } of [parts.read, parts.hashed, parts.written]) {
    (promise as Promise<unknown>).catch(() => undefined);
  }
  return parts;
}

interface OutcomeOptions {
  readonly parts: Parts;
  readonly shared: boolean;
  readonly sending: BlobSending | undefined;
}

/** Waits for all parts, so that no thread works on the layer any more. Damage goes before whatever it made fail. */
async function outcome(task: LayerTask, { parts, shared, sending }: OutcomeOptions): Promise<number> {
  const used: readonly LayerPart[] = shared ? ['read', 'hashed', 'written'] : ['written'];
  const all = Promise.allSettled(used.map((part) => parts[part].promise));
  await all.finally(() => sending?.stop());
  await sending?.sent;
  if (shared) {
    const { failure } = await parts.read.promise;
    const entries = await parts.written.promise;
    if (failure !== undefined) throw failure;
    checkContent(task, await parts.hashed.promise);
    return entries;
  }
  return parts.written.promise;
}
