import { addAbortListener } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { lookupUser, mergeEnvironment, type Process } from '@ocijs/bundle/spec';
import type { InitProcess, TerminalSize } from './init/index.ts';
import { waitFor } from './lifecycle/attached.ts';
import { type LifecycleOptions, requireRecord, stateRoot } from './lifecycle/context.ts';
import { prepareExec } from './lifecycle/exec.ts';
import type { ExitStatus } from './lifecycle/exit.ts';
import { parseSignal, signalProcess } from './process/signal.ts';
import { identify } from './process/stat.ts';
import type { ContainerRecord } from './state/record.ts';
import { type StdioChoice, streamsOf } from './streams.ts';

/** Options of {@link exec}. */
export interface ExecOptions extends LifecycleOptions {
  /** The command and its arguments. */
  readonly args: readonly string[];
  /** `NAME=value`, added to the environment of the container's own process; a later value of the same name wins. */
  readonly env?: readonly string[];
  /** The container's own working directory by default. */
  readonly cwd?: string;
  /** `user[:group]`, each a name of the root file system or a number; that of the container's own process by default. */
  readonly user?: string;
  /** Give the process a terminal: this program's own, when the streams are inherited, else one behind its pipes. */
  readonly terminal?: boolean | TerminalSize;
  /** Where the standard streams go: `inherit` (default), `pipe`, `ignore`, or one for each, also descriptors. */
  readonly stdio?: StdioChoice;
  /** Further settings of the process, which replace those of the container's own one by one. */
  readonly process?: Partial<Process>;
  /** Groups below the container's: `PATH`, or `CONTROLLER:PATH` with cgroup v1. */
  readonly cgroups?: readonly string[];
  /** Join a paused container; the process runs when it is resumed. */
  readonly ignorePaused?: boolean;
  /**
   * Let the process outlive this program: aborting `signal` and disposing do not end it any more once it runs, and how
   * it ends is not learnt here. Goes with neither a terminal nor pipes.
   */
  readonly detach?: boolean;
}

/** A further process of a container. Disposing it kills it, if it still runs, and closes its streams. */
export interface ExecProcess extends AsyncDisposable {
  /** The process id as this program sees it. */
  readonly pid: number;
  readonly stdin?: Writable;
  readonly stdout?: Readable;
  readonly stderr?: Readable;
  /** Waits for the process's end. Aborting ends the waiting, not the process. Throws ERR_OCI_INIT_DETACHED. */
  wait(options?: { readonly signal?: AbortSignal }): Promise<ExitStatus>;
  /** Sends a signal; false when the process has ended. Throws ERR_OCI_SIGNAL_INVALID. */
  kill(signal: string | number): boolean;
  /** Changes the size of a terminal that was asked for with pipes. */
  resize(size: TerminalSize): void;
}

function processOf(record: ContainerRecord, options: ExecOptions): Process {
  const own: Process = record.spec.process ?? { cwd: '/', user: { uid: 0, gid: 0 } };
  const user = options.user === undefined ? undefined : lookupUser(record.rootfs, options.user);
  const home = user?.home === undefined ? [] : [`HOME=${user.home}`];
  const { terminal = false } = options;
  const { consoleSize: _, ...base } = own;
  return {
    ...base,
    ...options.process,
    args: [...options.args],
    terminal: terminal !== false,
    ...(typeof terminal === 'object' && {
      consoleSize: { height: terminal.rows, width: terminal.columns },
    }),
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    ...(user && { user: { uid: user.uid, gid: user.gid, additionalGids: [...user.additionalGids] } }),
    env: mergeEnvironment(options.process?.env ?? own.env ?? [], home, options.env ?? []),
  };
}

function processHandle(init: InitProcess): ExecProcess {
  const identity = identify(init.pid);
  return {
    pid: init.pid,
    ...(init.stdin && { stdin: init.stdin }),
    ...(init.stdout && { stdout: init.stdout }),
    ...(init.stderr && { stderr: init.stderr }),
    wait: (options) => waitFor(init.exited, options),
    kill: (signal) => {
      const number = parseSignal(String(signal));
      return identity !== undefined && signalProcess(identity, number);
    },
    resize: (size) => init.resize(size),
    [Symbol.asyncDispose]: () => init[Symbol.asyncDispose](),
  };
}

/**
 * Runs a further process in a running container: in its namespaces and cgroup, with the rights of its own process where
 * the options do not say otherwise. Returns when the process runs; aborting `signal` kills it, also later. Throws
 * ERR_OCI_CONTAINER_NOT_FOUND, ERR_OCI_CONTAINER_STATE, ERR_OCI_SPEC_CONFLICT, ERR_OCI_EXEC_NOT_FOUND, ERR_OCI_EXEC_DENIED and
 * ERR_OCI_INIT_FAILED.
 */
export async function exec(id: string, options: ExecOptions): Promise<ExecProcess> {
  const { signal } = options;
  const root = stateRoot(options);
  const init = await prepareExec(id, {
    root,
    signal,
    process: processOf(requireRecord(root, id), options),
    stdio: streamsOf(options.stdio),
    subgroups: options.cgroups,
    ignorePaused: options.ignorePaused,
    lifetime: options.detach ? 'detached' : 'attached',
  });
  const handle = processHandle(init);
  if (signal !== undefined && !options.detach) {
    // It may have been aborted at any moment since the process runs.
    const listening = addAbortListener(signal, () => void handle.kill('SIGKILL'));
    const forget = (): void => listening[Symbol.dispose]();
    init.exited.then(forget, forget);
  }
  return handle;
}
