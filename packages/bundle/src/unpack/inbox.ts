import { once } from 'node:events';
import type { MessagePort } from 'node:worker_threads';

/** Messages in the order in which they came, taken one at a time. */
export interface Inbox<Message> {
  next(): Promise<Message>;
}

/** Collects what comes to a port from now on. Its sender must know how much may wait here. */
export function createInbox<Message>(port: MessagePort): Inbox<Message> {
  const waiting: Message[] = [];
  port.on('message', (message: Message) => waiting.push(message));
  return {
    async next() {
      for (;;) {
        const message = waiting.shift();
        if (message !== undefined) return message;
        await once(port, 'message');
      }
    },
  };
}
