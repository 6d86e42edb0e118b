import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { OnEvent } from '@ocijs/image';
import { RuntimeError } from '../errors.ts';
import type { UnnotedOwners } from './remembered.ts';

/** What the thread is given. */
export interface AgentData {
  /** The socket at which it gets listeners. */
  readonly server: number;
  /** It ends when the other end of this is closed. */
  readonly stop: number;
  /** Who root of the container is in the host. */
  readonly uid: number;
  readonly gid: number;
  readonly unnoted: UnnotedOwners;
}

/** What the thread says. */
export interface AgentMessage {
  readonly warning: string;
}

/** Answers for a container as long as it runs. Disposing ends it. */
export type OwnerAgent = AsyncDisposable;

/** Which exports of packages to load. The program's other options (`--eval`, `--input-type`, …) are not for a thread. */
const conditions: readonly string[] = process.execArgv.filter((option) =>
  /^(--conditions=|-C=)/.test(option),
);

/**
 * Starts a thread that answers a container's calls about owners, and gets them by a socket at `path`. It does not keep this program
 * running. Throws ERR_OCI_SPEC_UNSUPPORTED where the kernel cannot hand on calls.
 */
export async function startOwnerAgent(
  path: string,
  options: { readonly unnoted: UnnotedOwners; readonly onEvent?: OnEvent | undefined },
): Promise<OwnerAgent> {
  const { available, canNotify, closeQuietly, listenAt, socketPair } = await import('@ocijs/linux');
  if (!available() || !canNotify())
    throw new RuntimeError(
      'ERR_OCI_SPEC_UNSUPPORTED',
      'owners cannot be emulated: the kernel does not hand on system calls',
      { hint: 'this needs Linux 5.19, and no seccomp filter that forbids it' },
    );
  const server = listenAt(path);
  const [ours, stop] = socketPair();
  const name = import.meta.url.endsWith('.ts') ? './agent-worker.ts' : './agent-worker.js';
  const [uid, gid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
  const worker = new Worker(new URL(name, import.meta.url), {
    name: 'oci-owners',
    workerData: { server, stop, uid, gid, unnoted: options.unnoted } satisfies AgentData,
    execArgv: [...conditions],
    resourceLimits: { maxYoungGenerationSizeMb: 4 },
  });
  const warn = (message: string): void =>
    options.onEvent?.({ type: 'warning', code: 'ERR_OCI_INIT_FAILED', message });
  worker.on('message', ({ warning }: AgentMessage) => warn(`an owner could not be emulated: ${warning}`));
  worker.on('error', (error) => warn(`owners are not emulated any more: ${String(error)}`));
  const ended = once(worker, 'exit');
  ended.catch(() => undefined);
  worker.unref();
  let isOpen = true;
  // A thread that waits in the kernel would keep this program from ending.
  const stopThread = (): void => {
    if (isOpen) closeQuietly(ours);
    isOpen = false;
  };
  process.once('exit', stopThread);
  return {
    async [Symbol.asyncDispose]() {
      process.off('exit', stopThread);
      if (isOpen) worker.ref();
      stopThread();
      await ended;
    },
  };
}
