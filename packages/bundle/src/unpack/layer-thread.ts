import { Worker } from 'node:worker_threads';
import { chunksAhead } from '../limits.ts';
import type { ApplyWarning } from '../rootfs/layer-context.ts';
import { unpackError } from './error-transfer.ts';
import type { LayerReply, LayerRequest, LayerTask, LayerThreadData } from './layer-task.ts';

/** How long a thread may take to notice that it is to stop, in milliseconds. After that it is ended by force. */
const stopTimeoutMs = 5_000;

/** What happens while a layer is applied. */
export interface LayerRunOptions {
  /** The blob's bytes, opened when the task names no file. */
  readonly openBlob: () => AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress: (done: number) => void;
  readonly onWarning: (warning: ApplyWarning) => void;
}

/** A thread that applies layers, one at a time. Disposing ends it. */
export interface LayerThread extends AsyncDisposable {
  /** Returns how many entries the layer had. Rejects with the layer's error or with the signal's reason. */
  apply(task: LayerTask, options: LayerRunOptions): Promise<number>;
}

/** Starts a thread; it costs some 30 ms, while the first bytes may already be on their way. */
export function startLayerThread(): LayerThread {
  const stop = new SharedArrayBuffer(1);
  const workerData: LayerThreadData = { stop };
  const file = new URL(
    import.meta.url.endsWith('.ts') ? './layer-worker.ts' : './layer-worker.js',
    import.meta.url,
  );
  const worker = new Worker(file, { workerData, name: 'oci-layer' });
  const ended = Promise.withResolvers<never>();
  worker.once('error', ended.reject);
  worker.once('exit', () => ended.reject(new Error('the layer thread ended')));
  // Whoever waits for a layer gets the error; when nobody does, it is of no interest.
  ended.promise.catch(() => undefined);

  function send(request: LayerRequest): void {
    worker.postMessage(request);
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
    const onAbort = (): void => {
      Atomics.store(new Uint8Array(stop), 0, 1);
      send({ type: 'end' });
      credit.close();
      force = setTimeout(() => void worker.terminate(), stopTimeoutMs);
    };
    let force: NodeJS.Timeout | undefined;
    worker.on('message', onMessage);
    options.signal?.addEventListener('abort', onAbort, { once: true });
    try {
      send({ type: 'layer', task });
      const reading = task.file === undefined ? sendBlob(options, credit) : undefined;
      const applied = Promise.race([result.promise, ended.promise]);
      const [outcome, read] = await Promise.allSettled([applied.finally(credit.close), reading]);
      options.signal?.throwIfAborted();
      if (read.status === 'rejected') throw read.reason;
      if (outcome.status === 'rejected') throw outcome.reason;
      return outcome.value;
    } finally {
      clearTimeout(force);
      worker.off('message', onMessage);
      options.signal?.removeEventListener('abort', onAbort);
    }
  }

  async function sendBlob({ openBlob }: LayerRunOptions, credit: Credit): Promise<void> {
    try {
      for await (const bytes of openBlob()) {
        if (!(await credit.take())) return;
        send({ type: 'chunk', bytes });
      }
    } finally {
      send({ type: 'end' });
    }
  }

  return {
    apply,
    async [Symbol.asyncDispose]() {
      await worker.terminate();
    },
  };
}

/** How much may still be sent. */
interface Credit {
  /** Waits until something may be sent; false when nothing is wanted any more. */
  take(): Promise<boolean>;
  give(): void;
  close(): void;
}

function createCredit(initial: number): Credit {
  let left = initial;
  let closed = false;
  let waiting: (() => void) | undefined;
  const wake = (): void => {
    waiting?.();
    waiting = undefined;
  };
  return {
    async take() {
      while (left === 0 && !closed) {
        await new Promise<void>((resolve) => {
          waiting = resolve;
        });
      }
      left -= 1;
      return !closed;
    },
    give() {
      left += 1;
      wake();
    },
    close() {
      closed = true;
      wake();
    },
  };
}
