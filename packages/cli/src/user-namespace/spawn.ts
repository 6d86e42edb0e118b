import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { environment } from '../env.ts';
import { CliError } from '../errors.ts';
import { findProgram, type RootlessPlan } from '../run/rootless.ts';
import { writeMaps } from './write-maps.ts';

/** The descriptors by which the process in the namespace says that it is there, and is told that it has its ids. */
const saysReady = 3;
/** Open for as long as whoever made the namespace lives. */
export const callerDescriptor = 4;

/** Set in the namespace. */
const marker = 'OCI_IN_USER_NAMESPACE';

/** Waits for the ids, without which it would be nobody, and becomes the program. */
const waiting = `echo >&${saysReady} && read -r _ <&${callerDescriptor} && exec ${saysReady}>&- && exec "$@"`;

/** What becomes of a standard stream. */
type Stream = 'inherit' | 'ignore' | 'pipe';

/** How {@link spawnInUserNamespace} runs a program. */
export interface NamespaceOptions {
  readonly plan: Pick<RootlessPlan, 'options'>;
  readonly stdio: readonly [Stream, Stream, Stream];
  readonly env?: Readonly<Record<string, string>>;
  /** Lets a Node program send messages. */
  readonly ipc?: boolean;
  /** Mounts of the host that come later appear in the namespace. False by default. */
  readonly followsMounts?: boolean;
}

/** A program that runs as root of a user namespace. */
export interface NamespaceProcess {
  readonly pid: number;
  readonly child: ChildProcess;
  readonly ended: Promise<readonly [number | null, NodeJS.Signals | null]>;
}

/**
 * Runs a program as root of a new user namespace with mounts of its own. What it makes belongs to the calling user and to
 * the ids that the administrator gave to that user.
 *
 * @throws CliError `ERR_OCI_HOST_UNSUITABLE` where there can be no such namespace.
 */
export async function spawnInUserNamespace(
  command: readonly string[],
  { plan, stdio, env = {}, ipc = false, followsMounts = false }: NamespaceOptions,
): Promise<NamespaceProcess> {
  const unshare = await findProgram('unshare', environment['PATH'] ?? '');
  if (unshare === undefined) throw unsuitable('the program unshare is missing');
  const propagation = followsMounts ? ['--propagation', 'slave'] : [];
  const args = ['--user', '--mount', ...propagation, 'sh', '-c', waiting, 'oci', ...command];
  const child = spawn(unshare, args, {
    stdio: [...stdio, 'pipe', 'pipe', ...(ipc ? (['ipc'] as const) : [])],
    env: { ...process.env, ...env, [marker]: '1' },
  });
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  ended.catch(() => undefined);
  const [, , , ready, go] = child.stdio;
  const isReady = ready == null ? Promise.resolve(false) : once(ready, 'data').then(() => true);
  if (!(await Promise.race([isReady, ended.then(() => false)])))
    throw unsuitable('unshare could not make a user namespace');
  const pid = child.pid ?? 0;
  try {
    await writeMaps(pid, plan.options);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  if (go != null && 'write' in go) go.write('\n');
  return { pid, child, ended };
}

/** True for what {@link spawnInUserNamespace} has started: root is the calling user. */
export function isInUserNamespace(): boolean {
  return environment[marker] === '1';
}

export function unsuitable(message: string, cause?: unknown): CliError {
  return new CliError('ERR_OCI_HOST_UNSUITABLE', `${message}: an ordinary user cannot do this here`, {
    cause,
    hint: 'see `oci doctor`, or do it as root',
  });
}
