import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { RuntimeError } from '../errors.ts';
import { initBinary } from './binary.ts';
import type { InitExit, StdioOption } from './types.ts';
import { exitOf } from './wait-status.ts';

/** A monitor, and the socket to it. */
export interface MonitorProcess {
  /** Undefined when it could not be started, which `failed` says. */
  readonly pid: number | undefined;
  readonly control: Socket;
  /** This program's ends of the monitor's own streams, which relay a terminal. */
  readonly streams: { readonly stdin?: Writable; readonly stdout?: Readable; readonly stderr?: Readable };
  readonly ended: Promise<InitExit>;
  /** Never resolves; rejects with ERR_OCI_INIT_FAILED. */
  readonly failed: Promise<never>;
  /** Keeps this program running as long as the monitor, or not. */
  ref(): void;
  unref(): void;
}

/** Where a monitor's descriptors from 0 on come from; the socket is the one behind them. */
type Descriptors = readonly StdioOption[];

const name = 'oci-init';

function cannotStart(cause: Error): RuntimeError {
  return new RuntimeError('ERR_OCI_INIT_FAILED', `cannot start the native init: ${cause.message}`, { cause });
}

function failureOf(child: ChildProcess): Promise<never> {
  return new Promise((_, reject) => child.once('error', (cause) => reject(cannotStart(cause))));
}

/** The first monitor of a program, which may be its only one, or one with streams of its own. */
function spawnByNode(descriptors: Descriptors): MonitorProcess {
  const { length } = descriptors;
  const child = spawn(initBinary(length + 1), [String(length)], {
    // A container sees the command line of a process that is on its way in.
    argv0: name,
    stdio: [...descriptors, 'pipe'] as StdioOptions,
    env: {},
    cwd: '/',
    detached: false,
  });
  const { pid, stdin, stdout, stderr } = child;
  const ended = new Promise<InitExit>((resolve) => {
    child.once('exit', (code, signal) =>
      resolve(signal ? { exitCode: 137, signal } : { exitCode: code ?? 0 }),
    );
  });
  return {
    pid,
    control: child.stdio[length] as Socket,
    streams: { ...(stdin && { stdin }), ...(stdout && { stdout }), ...(stderr && { stderr }) },
    ended,
    failed: failureOf(child),
    ref: () => child.ref(),
    unref: () => child.unref(),
  };
}

type Linux = Pick<typeof import('@ocijs/linux'), 'socketPair' | 'spawnChild' | 'waitForChild'>;

/** What does not copy this program to start another one: worth the time that it takes to load for the second monitor. */
async function loadLinux(): Promise<Linux | undefined> {
  const linux = await import('@ocijs/linux');
  return linux.available() ? linux : undefined;
}

function spawnByKernel(linux: Linux, descriptors: Descriptors): MonitorProcess {
  const file = initBinary(descriptors.length + 1);
  const [ours, theirs] = linux.socketPair();
  const numbers = descriptors.map((from, target) =>
    from === 'inherit' ? target : typeof from === 'number' ? from : null,
  );
  let pid: number;
  try {
    pid = linux.spawnChild(file, {
      args: [name, String(numbers.length)],
      directory: '/',
      descriptors: [...numbers, theirs],
    });
  } catch (cause) {
    closeSync(ours);
    throw cannotStart(cause as Error);
  } finally {
    closeSync(theirs);
  }
  const control = new Socket({ fd: ours, readable: true, writable: true });
  const ended = new Promise<InitExit>((resolve) => {
    // It holds the socket until it ends. Where somebody else in this program has waited for it, its own words count.
    control.once('close', () =>
      linux.waitForChild(pid).then(
        (status) => resolve(exitOf(status)),
        () => resolve({ exitCode: 255 }),
      ),
    );
  });
  return {
    pid,
    control,
    streams: {},
    ended,
    failed: new Promise(() => undefined),
    ref: () => undefined,
    unref: () => undefined,
  };
}

let started = 0;

/** Starts a monitor: a program that is given these descriptors, and a socket. Throws ERR_OCI_INIT_FAILED, ERR_OCI_INIT_MISSING. */
export async function spawnMonitor(descriptors: Descriptors): Promise<MonitorProcess> {
  started += 1;
  const linux = started > 1 && !descriptors.includes('pipe') ? await loadLinux() : undefined;
  return linux === undefined ? spawnByNode(descriptors) : spawnByKernel(linux, descriptors);
}
