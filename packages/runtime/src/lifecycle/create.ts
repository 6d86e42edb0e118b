import type { RuntimeSpec } from '@ocijs/bundle/spec';
import { attachmentOf, procsFiles } from '../cgroup/index.ts';
import { RuntimeError } from '../errors.ts';
import { type InitProcess, type StdioOption, startInit } from '../init/index.ts';
import { planResctrl } from '../resctrl/group.ts';
import type { SeccompProfile } from '../seccomp/types.ts';
import { writeFilter } from '../state/filter.ts';
import { checkContainerId } from '../state/id.ts';
import type { State } from '../state/record.ts';
import { stateOf } from '../state/status.ts';
import { containerDirectory } from '../state/store.ts';
import { type LoadedBundle, loadRuntimeBundle } from './bundle.ts';
import { checkSpec } from './check.ts';
import { stateRoot } from './context.ts';
import { Creation, type CreationOptions, firstRecord, type PreparedContainer } from './creation.ts';
import { type CgroupManager, type ContainerGroup, planGroup } from './group.ts';
import { withHome } from './home.ts';
import { compileFilter, type Filter } from './seccomp.ts';

/** Options of {@link create}. */
export interface CreateOptions extends Omit<CreationOptions, 'keepExit'> {
  /** The bundle's directory. */
  readonly bundle: string;
  /** Used instead of the bundle's `config.json`. */
  readonly spec?: RuntimeSpec | undefined;
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

const inherit = ['inherit', 'inherit', 'inherit'] as const;

/** Who takes the terminal of a container must be known. Throws ERR_OCI_SPEC_CONFLICT. */
export function checkTerminal(
  spec: RuntimeSpec,
  options: Pick<PrepareOptions, 'consoleSocket' | 'lifetime'>,
): void {
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

/** What restricts a container. */
interface StartParts {
  readonly bundle: LoadedBundle;
  readonly seccomp: Filter | undefined;
  readonly group: ContainerGroup;
  /** Files of resctrl that the process's id is written to. */
  readonly tasks: readonly string[];
}

async function startFirst(
  creation: Creation,
  options: PrepareOptions,
  parts: StartParts,
): Promise<InitProcess> {
  const { record, root } = creation;
  const { bundle, seccomp, group, tasks } = parts;
  if (seccomp !== undefined) writeFilter(root, record.id, seccomp);
  const deviceProgram = attachmentOf(record.cgroup, group.deviceProgram);
  const given = bundle.spec.process && withHome(bundle.spec.process, bundle.rootfs);
  const process = given && { ...given, env: [...(given.env ?? []), ...(options.env ?? [])] };
  return await startInit({
    spec: { ...bundle.spec, ...(process && { process }) },
    bundle: bundle.directory,
    rootfs: bundle.rootfs,
    id: record.id,
    stateDirectory: containerDirectory(root, record.id),
    cgroupProcs: [...(record.cgroup === undefined ? [] : procsFiles(record.cgroup)), ...tasks],
    stdio: options.stdio ?? inherit,
    lifetime: options.lifetime,
    enterCgroup: group.enter,
    onCreated: (pid) => creation.onCreated(pid),
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
    const tasks = resctrl?.tasks ?? [];
    return await creation.finish(
      await startFirst(creation, options, { bundle, seccomp: filter, group, tasks }),
    );
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
