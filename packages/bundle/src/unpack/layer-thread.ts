import { MessageChannel, type Transferable, Worker } from 'node:worker_threads';
import { chunksAhead, contentThreadSize } from '../limits.ts';
import type { ApplyWarning } from '../rootfs/layer-context.ts';
import { type Credit, createCredit } from './credit.ts';
import { unpackError } from './error-transfer.ts';
import type { LayerReply, LayerRequest, LayerTask, LayerThreadData } from './layer-task.ts';

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

/** The threads that apply layers, one layer at a time. Disposing ends them. */
export interface LayerThread extends AsyncDisposable {
  /** Returns how many entries the layer had. Rejects with the layer's error or with the signal's reason. */
  apply(task: LayerTask, options: LayerRunOptions): Promise<number>;
}

/** Which exports of packages to load. The program's other options (`--eval`, `--input-type`, …) are not for a thread. */
const conditions: readonly string[] = process.execArgv.filter((option) =>
  /^(--conditions=|-C=)/.test(option),
);

/**
 * Starts a thread that applies layers. It costs some 30 ms, while the first bytes may already be on their way.
 * A large layer is read, verified and decompressed by a second thread, ahead of the first.
 */
export function startLayerThread(): LayerThread {
  const stop = new SharedArrayBuffer(1);
  const ended = Promise.withResolvers<never>();
  // Whoever waits for a layer gets the error; when nobody does, it is of no interest.
  ended.promise.catch(() => undefined);
  const start = (name: string): Worker => {
    const workerData: LayerThreadData = { stop };
    const file = new URL(import.meta.url.endsWith('.ts') ? `./${name}.ts` : `./${name}.js`, import.meta.url);
    const worker = new Worker(file, { workerData, name: `oci-${name}`, execArgv: [...conditions] });
    worker.once('error', ended.reject);
    worker.once('exit', () => ended.reject(new Error(`the ${name} ended`)));
    return worker;
  };
  const writer = start('layer-worker');
  let reader: Worker | undefined;

  /** Returns the worker that reads the blob. */
  function sendTask(task: LayerTask): Worker {
    if (task.descriptor.size < contentThreadSize) {
      send(writer, { type: 'layer', task, content: undefined });
      return writer;
    }
    reader ??= start('content-worker');
    const { port1, port2 } = new MessageChannel();
    send(reader, { type: 'layer', task, content: port1 }, [port1]);
    send(writer, { type: 'layer', task, content: port2 }, [port2]);
    return reader;
  }

  async function apply(task: LayerTask, options: LayerRunOptions): Promise<number> {
    options.signal?.throwIfAborted();
    const result = Promise.withResolvers<number>();
    const credit = createCredit(chunksAhead);
    const onMessage = (message: LayerReply): void => {
      if (message.type === 'progress') options.onProgress(message.done);
      else if (message.type === 'warning') options.onWarning(message.warning);
      else if (message.type === 'more') credit.give();
      else if (message.type === 'done') result.resolve(message.entries);
      else result.reject(unpackError(message.error));
    };
    const source = sendTask(task);
    const workers = new Set([writer, source]);
    const onAbort = (): void => {
      Atomics.store(new Uint8Array(stop), 0, 1);
      send(source, { type: 'end' });
      credit.close();
      force = setTimeout(() => workers.forEach((worker) => void worker.terminate()), stopTimeoutMs);
    };
    let force: NodeJS.Timeout | undefined;
    for (const worker of workers) worker.on('message', onMessage);
    options.signal?.addEventListener('abort', onAbort, { once: true });
    try {
      const reading = task.file === undefined ? sendBlob(source, { ...options, credit }) : undefined;
      const applied = Promise.race([result.promise, ended.promise]);
      const [outcome, read] = await Promise.allSettled([applied.finally(credit.close), reading]);
      options.signal?.throwIfAborted();
      if (read.status === 'rejected') throw read.reason;
      if (outcome.status === 'rejected') throw outcome.reason;
      return outcome.value;
    } finally {
      clearTimeout(force);
      for (const worker of workers) worker.off('message', onMessage);
      options.signal?.removeEventListener('abort', onAbort);
    }
  }

  return {
    apply,
    async [Symbol.asyncDispose]() {
      await Promise.all([writer.terminate(), reader?.terminate()]);
    },
  };
}

function send(worker: Worker, request: LayerRequest, transfer: readonly Transferable[] = []): void {
  worker.postMessage(request, transfer);
}

async function sendBlob(
  worker: Worker,
  { openBlob, credit }: Pick<LayerRunOptions, 'openBlob'> & { readonly credit: Credit },
): Promise<void> {
  try {
    for await (const bytes of openBlob()) {
      if (!(await credit.take())) return;
      send(worker, { type: 'chunk', bytes });
    }
  } finally {
    send(worker, { type: 'end' });
  }
}
