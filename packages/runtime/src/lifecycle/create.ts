import { rmSync } from 'node:fs';
import { userInfo } from 'node:os';
import type { RuntimeSpec } from '@ocijs/bundle/spec';
import { attachmentOf, destroyCgroup, procsFiles } from '../cgroup/index.ts';
import { RuntimeError } from '../errors.ts';
import { type InitProcess, type StdioOption, startInit } from '../init/index.ts';
import { waitForEnd } from '../process/signal.ts';
import { identify } from '../process/stat.ts';
import { createResctrl, planResctrl, type ResctrlPlan, removeResctrl } from '../resctrl/group.ts';
import type { SeccompProfile } from '../seccomp/types.ts';
import { writeFilter } from '../state/filter.ts';
import { checkContainerId } from '../state/id.ts';
import type { ContainerRecord, State } from '../state/record.ts';
import { stateOf } from '../state/status.ts';
import { claimContainer, containerDirectory, removeContainer, writeRecord } from '../state/store.ts';
import { type LoadedBundle, loadRuntimeBundle } from './bundle.ts';
import { checkSpec } from './check.ts';
import { hookState, type LifecycleOptions, runPoststopHooks, stateRoot } from './context.ts';
import { killFirst } from './end.ts';
import { type CgroupManager, type ContainerGroup, planGroup } from './group.ts';
import { withHome } from './home.ts';
import { runHooks } from './hooks.ts';
import { writePidFile } from './pid-file.ts';
import { compileFilter, type Filter } from './seccomp.ts';

/** Options of {@link create}. */
export interface CreateOptions extends LifecycleOptions {
  /** The bundle's directory. */
  readonly bundle: string;
  /** Used instead of the bundle's `config.json`. */
  readonly spec?: RuntimeSpec | undefined;
  /** Where the init's process id, in this pid namespace, is written. */
  readonly pidFile?: string | undefined;
  /** A unix socket that receives the master of the container's terminal. */
  readonly consoleSocket?: string | undefined;
  /** A unix socket that receives a pidfd of the container's first process. */
  readonly pidfdSocket?: string | undefined;
  /** A file that is used instead of the bundle's `config.json`. */
  readonly config?: string | undefined;
  /** `NAME=value`, added to the process's environment; not kept in the container's state. */
  readonly env?: readonly string[] | undefined;
  /** How many descriptors after the standard ones the container's process gets. */
  readonly preserveFds?: number | undefined;
  /** Change the root without pivot_root, for a host that runs from its initial ramdisk. */
  readonly noPivot?: boolean | undefined;
  /** Stay in the caller's session keyring. */
  readonly noNewKeyring?: boolean | undefined;
  /** Who makes the container's cgroup; `cgroupfs`, this program itself, by default. */
  readonly cgroupManager?: CgroupManager | undefined;
  readonly stdio?: readonly [StdioOption, StdioOption, StdioOption] | undefined;
}

/** Options of {@link prepare}: who waits for the init. */
export interface PrepareOptions extends CreateOptions {
  readonly lifetime: 'detached' | 'attached';
  /** Keep how the init ended in the state directory. */
  readonly keepExit?: boolean;
  readonly hostSession?: boolean;
  /** The profile of `spec` with exact values, when its text was read. */
  readonly seccomp?: SeccompProfile | undefined;
}

/** A container that waits to be started, with the process that will become its first. */
export interface PreparedContainer {
  readonly root: string;
  readonly record: ContainerRecord;
  readonly init: InitProcess;
}

const inherit = ['inherit', 'inherit', 'inherit'] as const;

function ownerName(): string {
  try {
    return userInfo().username;
  } catch {
    // The host knows no name for this user, as in a container of its own.
    return '';
  }
}

function checkTerminal(spec: RuntimeSpec, options: PrepareOptions): void {
  const terminal = spec.process?.terminal ?? false;
  if (options.consoleSocket !== undefined && !terminal) {
    throw new RuntimeError(
      'ERR_OCI_SPEC_CONFLICT',
      'a console socket is of no use without process.terminal',
      {
        jsonPath: '$.process.terminal',
      },
    );
  }
  if (terminal && options.lifetime === 'detached' && options.consoleSocket === undefined) {
    throw new RuntimeError(
      'ERR_OCI_SPEC_CONFLICT',
      'process.terminal of a detached container needs a console socket',
      {
        jsonPath: '$.process.terminal',
        hint: 'Give --console-socket, or set process.terminal to false.',
      },
    );
  }
}

function firstRecord(
  id: string,
  bundle: LoadedBundle,
  options: PrepareOptions & { root: string },
): ContainerRecord {
  const creator = identify(process.pid);
  if (creator === undefined)
    throw new RuntimeError('ERR_OCI_STATE_INVALID', '/proc does not show this process');
  return {
    version: 1,
    id,
    bundle: bundle.directory,
    rootfs: bundle.rootfs,
    created: new Date().toISOString(),
    owner: ownerName(),
    creator,
    finished: false,
    ...(options.noNewKeyring && { noNewKeyring: true }),
    ...(options.keepExit && { exitFile: `${containerDirectory(options.root, id)}/exit.json` }),
    spec: bundle.spec,
  };
}

/** What restricts a container. */
interface StartParts {
  readonly seccomp: Filter | undefined;
  readonly group: ContainerGroup;
  /** Files of resctrl that the process's id is written to. */
  readonly tasks: readonly string[];
}

/** The state on disk and what hangs on it, growing step by step; undone as a whole when a step fails. */
class Creation {
  readonly root: string;
  readonly options: PrepareOptions;
  record: ContainerRecord;
  init: InitProcess | undefined;

  constructor(record: ContainerRecord, options: PrepareOptions & { readonly root: string }) {
    this.root = options.root;
    this.options = options;
    this.record = record;
    claimContainer(this.root, record);
  }

  update(change: Partial<ContainerRecord>): void {
    this.record = { ...this.record, ...change };
    writeRecord(this.root, this.record);
  }

  async makeCgroup(group: ContainerGroup): Promise<void> {
    const cgroup = await group.make((planned) => this.update({ cgroup: planned }));
    if (cgroup !== undefined) this.update({ cgroup });
  }

  makeResctrl(plan: ResctrlPlan): void {
    this.update({ resctrl: plan.created });
    createResctrl(plan);
  }

  /** Called by the init when its namespaces are there, before it changes its root. */
  async onCreated(pid: number): Promise<void> {
    const init = identify(pid);
    if (init === undefined) {
      throw new RuntimeError(
        'ERR_OCI_INIT_FAILED',
        `the init ${pid} of container ${this.record.id} ended early`,
      );
    }
    this.update({ init });
    const { hooks } = this.record.spec;
    const state = hookState(this.root, this.record, 'created');
    await runHooks(hooks?.prestart, { name: 'prestart', state, signal: this.options.signal });
    await runHooks(hooks?.createRuntime, { name: 'createRuntime', state, signal: this.options.signal });
  }

  async start(bundle: LoadedBundle, parts: StartParts): Promise<void> {
    const { record, root, options } = this;
    const { seccomp, group, tasks } = parts;
    if (seccomp !== undefined) writeFilter(root, record.id, seccomp);
    const deviceProgram = attachmentOf(record.cgroup, group.deviceProgram);
    const given = bundle.spec.process && withHome(bundle.spec.process, bundle.rootfs);
    const process = given && { ...given, env: [...(given.env ?? []), ...(options.env ?? [])] };
    this.init = await startInit({
      spec: { ...bundle.spec, ...(process && { process }) },
      bundle: bundle.directory,
      rootfs: bundle.rootfs,
      id: record.id,
      stateDirectory: containerDirectory(root, record.id),
      cgroupProcs: [...(record.cgroup === undefined ? [] : procsFiles(record.cgroup)), ...tasks],
      stdio: options.stdio ?? inherit,
      lifetime: options.lifetime,
      enterCgroup: group.enter,
      onCreated: (pid) => this.onCreated(pid),
      seccomp,
      deviceProgram,
      consoleSocket: options.consoleSocket,
      pidfdSocket: options.pidfdSocket,
      preserveFds: options.preserveFds,
      noPivot: options.noPivot,
      noNewKeyring: options.noNewKeyring,
      exitFile: record.exitFile,
      hostSession: options.hostSession,
      signal: options.signal,
    });
  }

  async undo(): Promise<void> {
    const { record, root, options } = this;
    await this.init?.[Symbol.asyncDispose]();
    if (record.init !== undefined && killFirst(record)) await waitForEnd(record.init);
    if (record.cgroup !== undefined) await destroyCgroup(record.cgroup);
    removeResctrl(record.resctrl ?? []);
    if (options.pidFile !== undefined) rmSync(options.pidFile, { force: true });
    const removed = removeContainer(root, record.id);
    if (removed && record.init !== undefined) await runPoststopHooks(root, record, options);
  }
}

/**
 * Makes a container up to the point where its process waits to be started. Everything that can be refused is
 * refused before the first effect; a failure after it leaves nothing behind.
 */
export async function prepare(id: string, options: PrepareOptions): Promise<PreparedContainer> {
  options.signal?.throwIfAborted();
  checkContainerId(id);
  const root = stateRoot(options);
  const bundle = loadRuntimeBundle(options.bundle, { spec: options.spec, config: options.config });
  checkSpec(bundle.spec);
  checkTerminal(bundle.spec, options);
  const filter = await compileFilter(options.seccomp ?? bundle.seccomp, options.onEvent);
  const manager = options.cgroupManager ?? 'cgroupfs';
  const group = await planGroup(id, bundle.spec, { manager, signal: options.signal });
  if (group.devicesUnrestricted) {
    const message = 'access to devices is not restricted: no cgroup file system for devices is mounted';
    options.onEvent?.({ type: 'warning', code: 'ERR_OCI_CGROUP_MISSING', message });
  }
  const resctrl = planResctrl(id, bundle.spec.linux?.intelRdt);
  const creation = new Creation(firstRecord(id, bundle, { ...options, root }), { ...options, root });
  try {
    await creation.makeCgroup(group);
    if (resctrl !== undefined) creation.makeResctrl(resctrl);
    await creation.start(bundle, { seccomp: filter, group, tasks: resctrl?.tasks ?? [] });
    const init = creation.init as InitProcess;
    if (creation.record.init?.pid !== init.pid) await creation.onCreated(init.pid);
    creation.update({ finished: true });
    if (options.pidFile !== undefined) writePidFile(options.pidFile, init.pid);
    options.signal?.throwIfAborted();
    return { root, record: creation.record, init };
  } catch (error) {
    await creation.undo();
    throw error;
  }
}

/**
 * Creates a container from a bundle (runtime-spec `runtime.md`, "Create"): its namespaces, mounts and cgroup are
 * there, its process waits for `start`. The container outlives this process. Throws ERR_OCI_CONTAINER_EXISTS,
 * ERR_OCI_CONTAINER_ID_INVALID, ERR_OCI_SPEC_… for a configuration that cannot be run, ERR_OCI_CGROUP_…,
 * ERR_OCI_HOOK_FAILED, ERR_OCI_EXEC_… and ERR_OCI_INIT_FAILED.
 */
export async function create(id: string, options: CreateOptions): Promise<State> {
  const { root, record } = await prepare(id, { ...options, lifetime: 'detached' });
  return stateOf(root, record);
}
