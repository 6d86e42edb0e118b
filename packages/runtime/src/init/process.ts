import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { RuntimeError } from '../errors.ts';
import type { Pipes } from './pipes.ts';
import type { InitExit, InitProcess } from './types.ts';

/** What an attached process is known by. */
interface AttachedParts {
  readonly pid: number;
  readonly streams: Pipes;
  /** What the monitor said about the end, once it did. */
  readonly report: () => InitExit | undefined;
}

interface AttachedMonitor {
  readonly child: ChildProcess;
  readonly control: Socket;
  readonly ended: Promise<InitExit>;
  readonly options: { readonly hostSession?: boolean | undefined };
}

function closeStreams(streams: Pipes): void {
  for (const stream of Object.values(streams)) stream?.destroy();
}

/** A created process whose monitor stays. */
export function attachedProcess(monitor: AttachedMonitor, parts: AttachedParts): InitProcess {
  const { child, control, ended, options } = monitor;
  const { pid, streams, report } = parts;
  // Not events.once: an EPIPE, from a message to a monitor that just ended, is no failure here.
  const closed = new Promise<void>((resolve) => {
    if (control.closed) resolve();
    else control.once('close', () => resolve());
  });
  let isRunning = true;
  const exited = ended.then(async (exit) => {
    await closed;
    isRunning = false;
    return report() ?? exit;
  });
  if (options.hostSession === true) {
    child.unref();
    control.unref();
  }
  return {
    pid,
    ...streams,
    exited,
    resize({ rows, columns }) {
      const order = Buffer.from([4, 0, 0, 0, 0]);
      order.writeUInt16LE(rows, 1);
      order.writeUInt16LE(columns, 3);
      if (isRunning) control.write(order);
    },
    async [Symbol.asyncDispose]() {
      if (isRunning) {
        child.ref();
        control.write('\0');
        await exited;
      }
      closeStreams(streams);
    },
  };
}

/** A created process that has left for another parent. */
export function detachedProcess(pid: number, streams: Pipes): InitProcess {
  return {
    pid,
    ...streams,
    resize() {
      throw new RuntimeError(
        'ERR_OCI_INIT_DETACHED',
        `the terminal of the detached process ${pid} is not held here`,
        {
          actual: pid,
        },
      );
    },
    get exited(): Promise<InitExit> {
      const message = `only the parent of the detached process ${pid} learns how it ends`;
      return Promise.reject(new RuntimeError('ERR_OCI_INIT_DETACHED', message, { actual: pid }));
    },
    async [Symbol.asyncDispose]() {
      closeStreams(streams);
    },
  };
}
