import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { readSize } from '../limits.ts';
import { packError } from './error-transfer.ts';
import { createInbox, type Inbox } from './inbox.ts';
import type { LayerReply, LayerRequest, LayerTask, LayerThreadData } from './layer-task.ts';

// An import would evaluate all of node:fs, with its promises and watchers, which takes a new thread 5 ms.
const { closeSync, openSync, readSync } = process.getBuiltinModule('node:fs');

const progressIntervalMs = 50;

const port = requirePort();
const stop = new Uint8Array((workerData as LayerThreadData).stop);
const inbox: Inbox<LayerRequest> = createInbox(port);

function requirePort(): MessagePort {
  if (parentPort === null) throw new Error('a layer worker is not a program of its own');
  return parentPort;
}

/** Tells the main thread. */
export function reply(message: LayerReply): void {
  port.postMessage(message);
}

/** Throws when the main thread wants this one to stop. */
export function checkStop(): void {
  if (Atomics.load(stop, 0) === 1) throw new Error('stopped');
}

/** Does `work` for each layer that the main thread sends, one after the other, and tells it about failures. */
export async function serveLayers(
  work: (task: LayerTask, content: MessagePort | undefined) => Promise<void>,
): Promise<never> {
  for (;;) {
    const request = await inbox.next();
    if (request.type !== 'layer') continue;
    try {
      await work(request.task, request.content);
    } catch (error) {
      reply({ type: 'failed', error: packError(error) });
    }
  }
}

/** The blob of a layer, in buffers that belong to the receiver. */
export function blobChunks({ file }: LayerTask): AsyncIterable<Uint8Array> {
  return file === undefined ? receivedChunks() : fileChunks(file);
}

async function* receivedChunks(): AsyncGenerator<Uint8Array> {
  for (;;) {
    const request = await inbox.next();
    if (request.type !== 'chunk') return;
    yield request.bytes;
    reply({ type: 'more' });
  }
}

/** Synchronous reads: the thread has nothing else to do meanwhile. */
async function* fileChunks(path: string): AsyncGenerator<Uint8Array> {
  const fd = openSync(path, 'r');
  try {
    for (;;) {
      const buffer = Buffer.allocUnsafeSlow(readSize);
      const length = readSync(fd, buffer, 0, buffer.length, null);
      if (length === 0) return;
      yield buffer.subarray(0, length);
    }
  } finally {
    closeSync(fd);
  }
}

/** Tells the main thread how far it is, now and then. */
export function createProgress(): (done: number) => void {
  let last = 0;
  return (done) => {
    const now = Date.now();
    if (now - last < progressIntervalMs) return;
    last = now;
    reply({ type: 'progress', done });
  };
}
