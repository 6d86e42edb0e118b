import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Transform } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** A way to a server on this machine that is never faster than it was told. */
export interface SlowRelay extends AsyncDisposable {
  /** Where it listens, `127.0.0.1:PORT`. */
  readonly host: string;
}

/**
 * Listens on loopback and passes bytes on to `host` and back; those of each connection at most at the given speed, so that
 * a test can interrupt a transfer in its middle on any machine.
 */
export async function startSlowRelay(
  host: string,
  options: { readonly bytesPerSecond: number },
): Promise<SlowRelay> {
  const [name = '127.0.0.1', port = '80'] = host.split(':');
  const sockets = new Set<Socket>();
  const hold = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  };
  const server = createServer((near) => {
    const far = connect(Number(port), name);
    for (const socket of [near, far]) hold(socket);
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
    near.on('close', () => far.destroy());
    near.pipe(throttle(options.bytesPerSecond)).pipe(far);
    far.pipe(throttle(options.bytesPerSecond)).pipe(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose](): Promise<void> {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function throttle(bytesPerSecond: number): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sleep((chunk.length / bytesPerSecond) * 1000).then(() => done(null, chunk), done);
    },
  });
}
