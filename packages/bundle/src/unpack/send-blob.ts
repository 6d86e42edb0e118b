import type { MessagePort } from 'node:worker_threads';
import { chunksAhead } from '../limits.ts';
import { createCredit } from './credit.ts';
import type { BlobMessage } from './layer-task.ts';

/** The sending of one blob to a thread. */
export interface BlobSending {
  /** Settles when all is sent, or when it was stopped; rejects with what the source threw. */
  readonly sent: Promise<void>;
  /** The thread needs no more: ends the blob where it is. */
  stop(): void;
}

/** Sends a blob in its chunks, no more than the thread can take, and closes the source on every path. */
export function sendBlob(port: MessagePort, source: () => AsyncIterable<Uint8Array>): BlobSending {
  const credit = createCredit(chunksAhead);
  const send = (message: BlobMessage): void => port.postMessage(message);
  port.on('message', credit.give);
  port.on('close', credit.close);

  async function sendAll(): Promise<void> {
    try {
      for await (const bytes of source()) {
        if (!(await credit.take())) return;
        send({ type: 'chunk', bytes });
      }
    } finally {
      send({ type: 'end' });
      port.unref();
    }
  }

  return {
    sent: sendAll(),
    stop() {
      credit.close();
      send({ type: 'end' });
    },
  };
}
