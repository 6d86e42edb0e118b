import { addAbortListener } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import {
  lookupUser,
  mergeEnvironment,
  type Process,
  type Resources,
  type RuntimeSpec,
} from '@ocijs/bundle/spec';
import type { ContainerStats } from './cgroup/stats/types.ts';
import { type ExecOptions, type ExecProcess, exec } from './exec.ts';
import type { TerminalSize } from './init/index.ts';
import { endAttached, waitFor } from './lifecycle/attached.ts';
import { loadRuntimeBundle } from './lifecycle/bundle.ts';
import type { LifecycleOptions } from './lifecycle/context.ts';
import { prepare } from './lifecycle/create.ts';
import type { PreparedContainer } from './lifecycle/creation.ts';
import { type ContainerEvent, type EventsOptions, events } from './lifecycle/events.ts';
import type { ExitStatus } from './lifecycle/exit.ts';
import { kill } from './lifecycle/kill.ts';
import { pause, resume } from './lifecycle/pause.ts';
import { processes } from './lifecycle/processes.ts';
import { type RemoveOptions, remove } from './lifecycle/remove.ts';
import { startRecord } from './lifecycle/start.ts';
import { state } from './lifecycle/state.ts';
import { stats } from './lifecycle/stats.ts';
import { update } from './lifecycle/update.ts';
import type { NetworkRequest } from './network/types.ts';
import type { UnnotedOwners } from './owners/remembered.ts';
import { randomContainerId } from './state/id.ts';
import type { State } from './state/record.ts';
import { type StdioChoice, type Streams, streamsOf } from './streams.ts';

/** A bundle as `@ocijs/bundle` gives it; its directory is enough. */
export interface LaunchBundle {
  readonly directory: string;
  /** Used instead of the directory's `config.json`. */
  readonly config?: RuntimeSpec;
}

/** Options of {@link launch}. */
export interface LaunchOptions extends LifecycleOptions {
  /** A random one by default. */
  readonly id?: string;
  /** The command and its arguments, instead of the bundle's. */
  readonly args?: readonly string[];
  /** `NAME=value`, added to the bundle's; a later value of the same name wins. */
  readonly env?: readonly string[];
  readonly cwd?: string;
  /** `user[:group]`, each a name of the root file system or a number. */
  readonly user?: string;
  /** Give the process a terminal: this process's own, when the streams are inherited, else one behind its pipes. */
  readonly terminal?: boolean | TerminalSize;
  /** Where the standard streams go: `inherit` (default), `pipe`, `ignore`, or one for each, also descriptors. */
  readonly stdio?: StdioChoice;
  /** Let the container outlive this process, its output appended to a file. */
  readonly detach?: { readonly logFile: string };
  /** Limits that replace those of the bundle, kind by kind. */
  readonly resources?: Resources;
  readonly noPivot?: boolean;
  /**
   * Show the container the owners that unpacking noted at files, and note those that it gives them: for an ordinary user without
   * subordinate ids, whose container has root alone. This program answers the calls, so that a detached container needs it as long as
   * it runs. Throws ERR_OCI_SPEC_CONFLICT where it is not needed, ERR_OCI_SPEC_UNSUPPORTED where it cannot be.
   */
  readonly emulateOwners?: boolean;
  /** Connect the container's own network namespace; deleting the container undoes it. */
  readonly network?: NetworkRequest;
}

/**
 * A running container. Disposing it kills and deletes what is left of it, unless it was detached: then it goes on, and
 * `delete` removes it.
 */
export interface Container extends AsyncDisposable {
  readonly id: string;
  /** The process id of the container's first process, as this process sees it. */
  readonly pid: number;
  readonly stdin?: Writable;
  readonly stdout?: Readable;
  readonly stderr?: Readable;
  /** Waits for the container's end. Aborting ends the waiting, not the container. */
  wait(options?: { readonly signal?: AbortSignal }): Promise<ExitStatus>;
  /** Sends a signal to the first process. Throws ERR_OCI_CONTAINER_NOT_RUNNING. */
  kill(signal: string | number): Promise<void>;
  state(): Promise<State>;
  /** Runs a further process in the container; see `exec`. */
  exec(options: Omit<ExecOptions, 'root'>): Promise<ExecProcess>;
  /** Stops every process of the container where it is, until `resume`. Throws ERR_OCI_CGROUP_MISSING without a freezer. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Changes limits, kind by kind; device rules stay as they are. */
  update(resources: Resources): Promise<void>;
  /** What the container's processes use. */
  stats(): Promise<ContainerStats>;
  /** The ids of the container's processes, as this process sees them. */
  processes(): Promise<number[]>;
  /** Measurements, and processes killed for want of memory, until the container ends. */
  events(options?: Omit<EventsOptions, 'root'>): AsyncIterable<ContainerEvent>;
  /** Changes the size of a terminal that was asked for with pipes. */
  resize(size: TerminalSize): void;
  /** Deletes the ended container; with `force` also a running one. */
  delete(options?: Pick<RemoveOptions, 'force'>): Promise<void>;
}

function processOf(spec: RuntimeSpec, rootfs: string, options: LaunchOptions): Process {
  const base: Process = spec.process ?? { cwd: '/', user: { uid: 0, gid: 0 } };
  const user = options.user === undefined ? undefined : lookupUser(rootfs, options.user);
  const home = user?.home === undefined ? [] : [`HOME=${user.home}`];
  return {
    ...base,
    ...(options.args && { args: [...options.args] }),
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    ...(options.terminal !== undefined && { terminal: options.terminal !== false }),
    ...(typeof options.terminal === 'object' && {
      consoleSize: { height: options.terminal.rows, width: options.terminal.columns },
    }),
    ...(user && { user: { uid: user.uid, gid: user.gid, additionalGids: [...user.additionalGids] } }),
    env: mergeEnvironment(base.env ?? [], home, options.env ?? []),
  };
}

function launchSpec(spec: RuntimeSpec, rootfs: string, options: LaunchOptions): RuntimeSpec {
  const linux =
    options.resources === undefined
      ? spec.linux
      : { ...spec.linux, resources: { ...spec.linux?.resources, ...options.resources } };
  return { ...spec, ...(linux && { linux }), process: processOf(spec, rootfs, options) };
}

/** What the unpack knows of owners and could not note at the files. */
async function findUnnotedOwners(
  { directory, rootfs }: { readonly directory: string; readonly rootfs: string },
  options: { readonly signal: AbortSignal | undefined },
): Promise<UnnotedOwners> {
  const { unnotedOwners } = await import('@ocijs/bundle');
  return { rootfs, files: await unnotedOwners(directory, options) };
}

/** Opens the log for the time in which the monitor takes it over. */
async function withLog<Result>(path: string, use: (streams: Streams) => Promise<Result>): Promise<Result> {
  const log = openSync(path, 'a', 0o600);
  try {
    return await use(['ignore', log, log]);
  } finally {
    closeSync(log);
  }
}

function containerOf(prepared: PreparedContainer, options: LaunchOptions): Container {
  const { root, record, init } = prepared;
  const { id } = record;
  const removeForced = (): Promise<void> => remove(id, { root, force: true, onEvent: options.onEvent });
  return {
    id,
    pid: init.pid,
    ...(init.stdin && { stdin: init.stdin }),
    ...(init.stdout && { stdout: init.stdout }),
    ...(init.stderr && { stderr: init.stderr }),
    wait: (waitOptions) => waitFor(prepared.init.exited, waitOptions),
    kill: async (signal) => kill(id, signal, { root }),
    state: async () => state(id, { root }),
    pause: () => pause(id, { root }),
    resume: async () => resume(id, { root }),
    update: async (resources) => update(id, resources, { root }),
    stats: async () => stats(id, { root }),
    processes: async () => processes(id, { root }),
    events: (eventsOptions) => events(id, { ...eventsOptions, root }),
    exec: (execOptions) => exec(id, { ...execOptions, root }),
    resize: (size) => init.resize(size),
    delete: (removeOptions) => remove(id, { ...removeOptions, root, onEvent: options.onEvent }),
    [Symbol.asyncDispose]: async () => {
      if (options.detach !== undefined) return;
      await endAttached(prepared);
      await removeForced();
    },
  };
}

/**
 * Runs a bundle as a container and returns once its process was started. What the options say replaces what the bundle's
 * configuration says; the bundle itself is not changed. Aborting `signal` kills and deletes the container, also
 * after the launch. Throws what `create` and `start` throw; a failed launch leaves nothing behind.
 */
export async function launch(bundle: LaunchBundle | string, options: LaunchOptions = {}): Promise<Container> {
  const { signal, detach } = options;
  signal?.throwIfAborted();
  const given = typeof bundle === 'string' ? { directory: bundle } : bundle;
  const loaded = loadRuntimeBundle(given.directory, { spec: given.config });
  const spec = launchSpec(loaded.spec, loaded.rootfs, options);
  const owners = options.emulateOwners ? await findUnnotedOwners(loaded, { signal }) : undefined;
  const prepareWith = (streams: Streams): Promise<PreparedContainer> =>
    prepare(options.id ?? randomContainerId(), {
      bundle: loaded.directory,
      spec,
      seccomp: loaded.seccomp,
      root: options.root,
      signal,
      onEvent: options.onEvent,
      noPivot: options.noPivot,
      network: options.network,
      owners,
      stdio: streams,
      lifetime: 'attached',
      keepExit: true,
      hostSession: detach !== undefined,
    });
  const prepared =
    detach === undefined
      ? await prepareWith(streamsOf(options.stdio))
      : await withLog(resolve(detach.logFile), prepareWith);
  const container = containerOf(prepared, options);
  try {
    await startRecord(prepared.record, { root: prepared.root, signal, onEvent: options.onEvent });
  } catch (error) {
    await endAttached(prepared);
    await remove(container.id, { root: prepared.root, force: true, onEvent: options.onEvent });
    throw error;
  }
  if (signal !== undefined && detach === undefined) killWhenAborted(prepared, signal);
  return container;
}

function killWhenAborted(prepared: PreparedContainer, signal: AbortSignal): void {
  const { record, root, init } = prepared;
  const onAbort = (): void => {
    remove(record.id, { root, force: true }).catch((error: unknown) => {
      process.emitWarning(error as Error);
    });
  };
  // It may have been aborted at any moment since the container runs.
  const listening = addAbortListener(signal, onAbort);
  const forget = (): void => listening[Symbol.dispose]();
  init.exited.then(forget, forget);
}
