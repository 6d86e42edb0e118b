import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { readSize } from '../limits.ts';
import { packError } from './error-transfer.ts';
import { createInbox, type Inbox } from './inbox.ts';
import type { BlobMessage, LayerPart, LayerReply, LayerRequest, LayerThreadData } from './layer-task.ts';

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

type WithoutLayer<Reply> = Reply extends unknown ? Omit<Reply, 'layer'> : never;

/** What a thread tells, without the layer that it tells it about. */
export type PartReply = WithoutLayer<LayerReply>;

/** Throws when the main thread wants this one to stop. */
export function checkStop(): void {
  if (Atomics.load(stop, 0) === 1) throw new Error('stopped');
}

/** The work of a thread on one layer. */
export type LayerWork = (request: LayerRequest, reply: (message: PartReply) => void) => Promise<void>;

/** Does `work` for each layer that the main thread sends, one after the other, and tells it about failures. */
export async function serveLayers(part: LayerPart, work: LayerWork): Promise<never> {
  for (;;) {
    const request = await inbox.next();
    const reply = (message: PartReply): void =>
      port.postMessage({ ...message, layer: request.layer } satisfies LayerReply);
    try {
      await work(request, reply);
    } catch (error) {
      reply({ type: 'failed', part, error: packError(error) });
    }
  }
}

/** How the blob is read. */
export interface BlobOptions {
  /** Asked for each chunk of a file once it was used: whether somebody keeps its buffer, which is used again otherwise. */
  readonly keepsInput: () => boolean;
}

/** The bytes of a layer's blob, in chunks that are valid until the next one is asked for. */
export function blobChunks(
  { task: { file }, blob }: LayerRequest,
  options: BlobOptions,
): AsyncIterable<Uint8Array> {
  if (file !== undefined) return fileChunks(file, options);
  if (blob === undefined) throw new Error('the layer has neither a file nor a port');
  return receivedChunks(blob);
}

async function* receivedChunks(blob: MessagePort): AsyncGenerator<Uint8Array> {
  const chunks = createInbox<BlobMessage>(blob);
  try {
    for (;;) {
      const message = await chunks.next();
      if (message.type === 'end') return;
      yield message.bytes;
      blob.postMessage('more');
    }
  } finally {
    blob.close();
  }
}

/** Synchronous reads: the thread has nothing else to do meanwhile. */
async function* fileChunks(path: string, { keepsInput }: BlobOptions): AsyncGenerator<Uint8Array> {
  const fd = openSync(path, 'r');
  try {
    let buffer = Buffer.allocUnsafeSlow(readSize);
    for (;;) {
      const length = readSync(fd, buffer, 0, buffer.length, null);
      if (length === 0) return;
      yield buffer.subarray(0, length);
      if (keepsInput()) buffer = Buffer.allocUnsafeSlow(readSize);
    }
  } finally {
    closeSync(fd);
  }
}

/** Tells the main thread how far it is, now and then. */
export function createProgress(reply: (message: PartReply) => void): (done: number) => void {
  let last = 0;
  return (done) => {
    const now = Date.now();
    if (now - last < progressIntervalMs) return;
    last = now;
    reply({ type: 'progress', done });
  };
}
