import type { ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import { resolve } from 'node:path';
import { environment } from '../env.ts';
import { exitCodeOfSignal } from '../exit-codes.ts';
import { planRootless, type RootlessPlan } from '../run/rootless.ts';
import { callerDescriptor, isInUserNamespace, spawnInUserNamespace } from './spawn.ts';

/** How {@link runInUserNamespace} makes the namespace. */
export interface EnterOptions {
  readonly onWarning: (message: string) => void;
  /** Instead of all ids that the user has. */
  readonly ids?: RootlessPlan | undefined;
}

/**
 * Runs this command line again as root of a user namespace, with mounts of its own, and resolves with its exit code. What it
 * makes there belongs to the calling user and to the ids that the administrator gave to that user.
 *
 * @throws CliError `ERR_OCI_HOST_UNSUITABLE` where there can be no such namespace.
 */
export async function runInUserNamespace(
  variables: Readonly<Record<string, string>>,
  { onWarning, ids }: EnterOptions,
): Promise<number> {
  const plan = ids ?? (await planRootless(environment['PATH'] ?? '', 'host'));
  if (!plan.hasRanges) onWarning("no subordinate ids: files can be root's alone (see `oci doctor`)");
  // Node would take an --env-file behind the program's name for its own.
  const command = [process.execPath, ...process.execArgv, '--', ...process.argv.slice(1)];
  const stdio = ['inherit', 'inherit', 'inherit'] as const;
  const { child, ended } = await spawnInUserNamespace(command, { plan, stdio, env: variables });
  using _forwarding = forwardSignals(child);
  const [code, signal] = await ended;
  return signal === null ? (code ?? 1) : exitCodeOfSignal(signal);
}

/**
 * In the namespace: ends this process, as a signal would, when the one that waits for it is gone. The descriptor by which it was
 * told to go on is still open, and the other end is closed with that process, however it ends.
 */
export function endWithCaller(): void {
  if (!isInUserNamespace()) return;
  const socket = new Socket({ fd: callerDescriptor, readable: true, writable: false });
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

/** What a command needs to find the same store in the namespace: the caller is root there, whose store is elsewhere. */
export async function storeVariables({
  store,
}: {
  readonly store?: string | undefined;
}): Promise<Readonly<Record<string, string>>> {
  const { defaultStoreDirectory } = await import('@ocijs/image');
  return { OCI_STORE: resolve(store ?? defaultStoreDirectory(environment)) };
}
