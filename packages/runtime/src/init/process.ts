import { RuntimeError } from '../errors.ts';
import type { Pipes } from './pipes.ts';
import type { MonitorProcess } from './spawn-monitor.ts';
import type { InitExit, InitProcess } from './types.ts';

/** What an attached process is known by. */
interface AttachedParts {
  readonly pid: number;
  readonly streams: Pipes;
  /** What the monitor said about the end, once it did. */
  readonly report: () => InitExit | undefined;
  /** It may outlive this program. */
  readonly hostSession: boolean;
}

/** Closes this program's ends of a container's streams. */
export function closeStreams(streams: Pipes): void {
  for (const stream of Object.values(streams)) stream?.destroy();
}

/** A created process whose monitor stays. */
export function attachedProcess(monitor: MonitorProcess, parts: AttachedParts): InitProcess {
  const { control, ended } = monitor;
  const { pid, streams, report, hostSession } = parts;
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
  if (hostSession) {
    monitor.unref();
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
        monitor.ref();
        control.ref();
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
