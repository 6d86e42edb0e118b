import { once } from 'node:events';
import { readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { readSize } from '../limits.ts';
import { applyLayer } from './apply-layer.ts';
import { packError } from './error-transfer.ts';
import type { LayerReply, LayerRequest, LayerTask, LayerThreadData } from './layer-task.ts';

const progressIntervalMs = 50;

if (parentPort === null) throw new Error('the layer worker is not a program of its own');
const port = parentPort;
const stop = new Uint8Array((workerData as LayerThreadData).stop);

const chunks: LayerRequest[] = [];
port.on('message', (request: LayerRequest) => {
  if (request.type === 'layer') void work(request.task);
  else chunks.push(request);
});

function reply(message: LayerReply): void {
  port.postMessage(message);
}

async function work(task: LayerTask): Promise<void> {
  try {
    const entries = await applyLayer(task, {
      source: task.file === undefined ? received() : fileChunks(task.file),
      checkStop,
      onProgress: createProgress(),
      onWarning: (warning) => reply({ type: 'warning', warning }),
    });
    reply({ type: 'done', entries });
  } catch (error) {
    reply({ type: 'failed', error: packError(error) });
  }
}

function checkStop(): void {
  if (Atomics.load(stop, 0) === 1) throw new Error('stopped');
}

async function* received(): AsyncGenerator<Uint8Array> {
  for (;;) {
    const request = chunks.shift();
    if (request === undefined) await once(port, 'message');
    else if (request.type !== 'chunk') return;
    else {
      yield request.bytes;
      reply({ type: 'more' });
    }
  }
}

/** Synchronous reads: there is nothing else for this thread to do meanwhile. */
async function* fileChunks(path: string): AsyncGenerator<Uint8Array> {
  await using file = await open(path, 'r');
  const buffer = Buffer.allocUnsafe(readSize);
  for (;;) {
    const length = readSync(file.fd, buffer, 0, buffer.length, null);
    if (length === 0) return;
    yield buffer.subarray(0, length);
  }
}

function createProgress(): (done: number) => void {
  let last = 0;
  return (done) => {
    const now = performance.now();
    if (now - last < progressIntervalMs) return;
    last = now;
    reply({ type: 'progress', done });
  };
}
