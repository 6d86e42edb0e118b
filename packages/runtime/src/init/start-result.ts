import { closeSync, constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { hookPlace } from '../plan/hooks.ts';
import { hookFailure } from './failure.ts';
import { createMessageReader } from './messages.ts';

/** The end of a fifo at which `start` learns how the hooks of a container went. */
export interface StartResult extends Disposable {
  /**
   * Waits until the container's own program runs. Throws ERR_OCI_HOOK_FAILED when a hook before it failed, and rejects with
   * the reason of an aborted signal.
   */
  wait(signal: AbortSignal | undefined): Promise<void>;
}

/** Opened before the process is released, so that nothing is missed. */
export function openStartResult(stateDirectory: string): StartResult {
  const path = `${stateDirectory}/result.fifo`;
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  let socket: Socket | undefined;
  return {
    wait: (signal) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const read = createMessageReader();
      const stream = new Socket({ fd, readable: true, writable: false });
      const onAbort = (): void => reject(signal?.reason);
      socket = stream;
      stream.on('data', (chunk: Buffer) => {
        for (const message of read(chunk)) {
          reject(hookFailure(hookPlace('startContainer', message.step), message));
        }
      });
      stream.on('error', reject);
      // exec and the end of the process close the other side.
      stream.on('end', resolve);
      signal?.addEventListener('abort', onAbort, { once: true });
      return promise.finally(() => signal?.removeEventListener('abort', onAbort));
    },
    [Symbol.dispose]: () => {
      if (socket === undefined) closeSync(fd);
      else socket.destroy();
    },
  };
}
