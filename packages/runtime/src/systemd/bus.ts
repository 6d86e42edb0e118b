import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { RuntimeError } from '../errors.ts';
import { type BusMessage, createBusReader, encodeMessage, messageKinds } from './message.ts';
import type { Value } from './signature.ts';

/** What is called on the bus. */
export interface BusCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature?: string;
  readonly body?: readonly Value[];
}

/** An error that the other side answered with. */
export class BusError extends Error {
  /** Such as `org.freedesktop.systemd1.NoSuchUnit`. */
  readonly busName: string;

  constructor(message: BusMessage) {
    super(`${message.body[0] ?? message.errorName}`);
    this.busName = message.errorName ?? '';
  }
}

/** A connection to a message bus. */
export interface Bus extends Disposable {
  /** Calls a method and gives what it returns. Throws BusError, ERR_OCI_SYSTEMD_UNAVAILABLE when the bus hangs up. */
  call(call: BusCall): Promise<readonly Value[]>;
  /** Hands every signal to a listener until the connection is closed. */
  onSignal(listener: (signal: BusMessage) => void): void;
}

function unavailable(path: string, cause: unknown): RuntimeError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new RuntimeError('ERR_OCI_SYSTEMD_UNAVAILABLE', `cannot talk to systemd over ${path}: ${reason}`, {
    path,
    cause,
    hint: 'Cgroups managed by systemd need its bus; leave out --systemd-cgroup where systemd does not run.',
  });
}

/** EXTERNAL: the kernel tells the bus who we are (D-Bus specification, "Authentication Protocol"). */
async function authenticate(socket: Socket): Promise<void> {
  const uid = Buffer.from(String(process.geteuid?.() ?? 0)).toString('hex');
  socket.write(`\0AUTH EXTERNAL ${uid}\r\n`);
  let answer = '';
  while (!answer.includes('\r\n')) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    answer += chunk.toString('latin1');
    if (answer.length > 1024) throw new Error('not a message bus');
  }
  if (!answer.startsWith('OK ')) throw new Error(`the bus refuses us: ${answer.trim()}`);
  socket.write('BEGIN\r\n');
}

class Connection implements Bus {
  readonly #socket: Socket;
  readonly #path: string;
  readonly #pending = new Map<number, PromiseWithResolvers<readonly Value[]>>();
  readonly #listeners: ((signal: BusMessage) => void)[] = [];
  #serial = 0;
  #failure: unknown;

  constructor(socket: Socket, path: string) {
    this.#socket = socket;
    this.#path = path;
    const read = createBusReader();
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const message of read(chunk)) this.#receive(message);
      } catch (error) {
        this.#fail(error);
      }
    });
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the bus hung up')));
  }

  #receive(message: BusMessage): void {
    if (message.kind === messageKinds.signal) for (const listener of this.#listeners) listener(message);
    const pending = this.#pending.get(message.replySerial ?? 0);
    if (pending === undefined) return;
    this.#pending.delete(message.replySerial ?? 0);
    if (message.kind === messageKinds.error) pending.reject(new BusError(message));
    else pending.resolve(message.body);
  }

  #fail(cause: unknown): void {
    this.#failure ??= cause;
    this.#socket.destroy();
    for (const { reject } of this.#pending.values()) reject(unavailable(this.#path, cause));
    this.#pending.clear();
  }

  call({ body = [], ...call }: BusCall): Promise<readonly Value[]> {
    if (this.#failure !== undefined) return Promise.reject(unavailable(this.#path, this.#failure));
    this.#serial += 1;
    const pending = Promise.withResolvers<readonly Value[]>();
    this.#pending.set(this.#serial, pending);
    this.#socket.write(encodeMessage({ ...call, kind: messageKinds.call, serial: this.#serial, body }));
    return pending.promise;
  }

  onSignal(listener: (signal: BusMessage) => void): void {
    this.#listeners.push(listener);
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

/** The bus itself, as a receiver of calls. */
export const busService = {
  destination: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
} as const;

/** Connects to a message bus. Throws ERR_OCI_SYSTEMD_UNAVAILABLE. */
export async function connectBus(path: string, signal?: AbortSignal): Promise<Bus> {
  signal?.throwIfAborted();
  const socket = createConnection({ path });
  const onAbort = (): void => void socket.destroy(signal?.reason as Error);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await once(socket, 'connect');
    await authenticate(socket);
    const connection = new Connection(socket, path);
    await connection.call({ ...busService, member: 'Hello' });
    return connection;
  } catch (error) {
    socket.destroy();
    signal?.throwIfAborted();
    throw error instanceof RuntimeError ? error : unavailable(path, error);
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}
