import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { environment } from '../env.ts';
import { CliError } from '../errors.ts';
import { exitCodeOfSignal } from '../exit-codes.ts';
import { findProgram, planRootless } from '../run/rootless.ts';
import { writeMaps } from './write-maps.ts';

/** The descriptors by which the process in the namespace says that it is there, and is told that it has its ids. */
const saysReady = 3;
const waits = 4;

/** Set in the namespace. */
const marker = 'OCI_IN_USER_NAMESPACE';

/** Waits for the ids, without which it would be nobody, and becomes the program. */
const waiting = `echo >&${saysReady} && read -r _ <&${waits} && exec ${saysReady}>&- && exec "$@"`;

/**
 * Runs this command line again as root of a user namespace, with mounts of its own, and resolves with its exit code. What it
 * makes there belongs to the calling user and to the ids that the administrator gave to that user.
 *
 * @throws CliError `ERR_OCI_HOST_UNSUITABLE` where there can be no such namespace.
 */
export async function runInUserNamespace(
  variables: Readonly<Record<string, string>>,
  { onWarning }: { readonly onWarning: (message: string) => void },
): Promise<number> {
  const path = environment['PATH'] ?? '';
  const unshare = await findProgram('unshare', path);
  if (unshare === undefined) throw unsuitable('the program unshare is missing');
  const plan = await planRootless(path, 'host');
  if (!plan.hasRanges) onWarning("no subordinate ids: files can be root's alone (see `oci doctor`)");
  const [program = '', ...args] = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const child = spawn(unshare, ['--user', '--mount', 'sh', '-c', waiting, 'oci', program, ...args], {
    stdio: ['inherit', 'inherit', 'inherit', 'pipe', 'pipe'],
    env: { ...process.env, ...variables, [marker]: '1' },
  });
  using _forwarding = forwardSignals(child);
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  ended.catch(() => undefined);
  const [, , , ready, go] = child.stdio;
  const isReady = ready == null ? Promise.resolve(false) : once(ready, 'data').then(() => true);
  if (!(await Promise.race([isReady, ended.then(() => false)])))
    throw unsuitable('unshare could not make a user namespace');
  try {
    await writeMaps(child.pid ?? 0, plan.options);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  if (go != null && 'write' in go) go.write('\n');
  const [code, signal] = await ended;
  return signal === null ? (code ?? 1) : exitCodeOfSignal(signal);
}

/** True where {@link runInUserNamespace} has led: root is the calling user. */
export function isInUserNamespace(): boolean {
  return environment[marker] === '1';
}

export function unsuitable(message: string, cause?: unknown): CliError {
  return new CliError('ERR_OCI_HOST_UNSUITABLE', `${message}: an ordinary user cannot build here`, {
    cause,
    hint: 'see `oci doctor`, or build as root',
  });
}

/**
 * In the namespace: ends this process, as a signal would, when the one that waits for it is gone. The descriptor by which it was
 * told to go on is still open, and the other end is closed with that process, however it ends.
 */
export function endWithCaller(): void {
  if (environment[marker] === undefined) return;
  const socket = new Socket({ fd: waits, readable: true, writable: false });
  socket.on('error', () => undefined);
  socket.on('close', () => process.kill(process.pid, 'SIGTERM'));
  socket.resume();
  socket.unref();
}

/** What is meant for this process is meant for the one that does its work. A terminal tells both of them. */
function forwardSignals(child: ChildProcess): Disposable {
  const ofTerminals = ['SIGINT', 'SIGQUIT', 'SIGHUP'] as const;
  const signals = ['SIGTERM', ...ofTerminals] as const;
  const forward = (signal: NodeJS.Signals): void => {
    const isTold = process.stdin.isTTY && ofTerminals.some((each) => each === signal);
    if (!isTold) child.kill(signal);
  };
  for (const signal of signals) process.on(signal, forward);
  return {
    [Symbol.dispose]: () => {
      for (const signal of signals) process.off(signal, forward);
    },
  };
}
