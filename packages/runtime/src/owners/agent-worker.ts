import { parentPort, workerData } from 'node:worker_threads';
import {
  acceptConnection,
  answerNotification,
  closeQuietly,
  notificationSize,
  receiveDescriptor,
  receiveNotification,
  waitForInput,
  wakeSynchronously,
} from '@ocijs/linux';
import type { AgentData, AgentMessage } from './agent.ts';
import { type Answering, answerCall, type CallAnswer } from './answer.ts';
import { OwnerNotes } from './notes.ts';
import { rememberOwners } from './remembered.ts';

/**
 * Answers for a container until it is told to stop, which closes the other end of `stop`. Every process that joins the container
 * brings a listener of its own, by a connection to `server`. It closes what it was given.
 */
function serve({ server, stop, uid, gid, unnoted }: AgentData): void {
  const notes = new OwnerNotes();
  rememberOwners(notes, unnoted);
  const answering: Answering = { notes, uid, gid };
  const connections = new Set<number>();
  const listeners = new Set<number>();
  const notification = Buffer.alloc(notificationSize);
  const forget = (fd: number): void => {
    connections.delete(fd);
    listeners.delete(fd);
    closeQuietly(fd);
  };
  try {
    for (;;) {
      const descriptors = [stop, server, ...connections, ...listeners];
      const states = waitForInput(descriptors);
      if (states[0] !== undefined) return;
      for (const [index, fd] of descriptors.entries()) {
        if (index === 0 || states[index] === undefined) continue;
        if (fd === server) accept(server, connections);
        else if (connections.has(fd)) take(fd, { listeners, forget });
        else if (states[index] === 'ended') forget(fd);
        else if (receiveNotification(fd, notification))
          answerNotification(fd, notification, answer(answering, fd, notification));
      }
    }
  } finally {
    for (const fd of [stop, server, ...connections, ...listeners]) closeQuietly(fd);
  }
}

function accept(server: number, connections: Set<number>): void {
  const connection = acceptConnection(server);
  if (connection !== undefined) connections.add(connection);
}

/** Takes the listener that comes with a message. */
function take(
  connection: number,
  { listeners, forget }: { readonly listeners: Set<number>; readonly forget: (fd: number) => void },
): void {
  const received = receiveDescriptor(connection);
  if (typeof received === 'number') {
    wakeSynchronously(received);
    listeners.add(received);
  }
  if (received !== 'none') forget(connection);
}

let isReported = false;

/** What goes wrong here must not stop the container: the kernel answers then. It is told once. */
function answer(answering: Answering, listener: number, notification: Buffer): CallAnswer {
  try {
    return answerCall(answering, { listener, notification });
  } catch (error) {
    if (isGone(error)) return undefined;
    if (!isReported) parentPort?.postMessage({ warning: String(error) } satisfies AgentMessage);
    isReported = true;
    return undefined;
  }
}

/** The process that asked was killed. */
function isGone(error: unknown): boolean {
  const { code = '' } = error as NodeJS.ErrnoException;
  return ['ENOENT', 'ESRCH', 'EACCES'].includes(code);
}

serve(workerData as AgentData);
