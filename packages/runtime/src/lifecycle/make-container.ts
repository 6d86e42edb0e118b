import type { RuntimeSpec } from '@ocijs/bundle/spec';
import { attachmentOf, entriesOf } from '../cgroup/index.ts';
import type { InitProcess, StartInitOptions } from '../init/index.ts';
import type { UnnotedOwners } from '../owners/remembered.ts';
import { planResctrl } from '../resctrl/group.ts';
import type { SeccompProfile } from '../seccomp/types.ts';
import { writeFilter } from '../state/filter.ts';
import { checkContainerId } from '../state/id.ts';
import { containerDirectory } from '../state/store.ts';
import { type LoadedBundle, loadRuntimeBundle } from './bundle.ts';
import { reportCapabilities } from './capabilities.ts';
import { checkSpec, requireProcess } from './check.ts';
import { stateRoot } from './context.ts';
import { Creation, type CreationOptions, firstRecord, type PreparedContainer } from './creation.ts';
import { type CgroupManager, planGroup } from './group.ts';
import { makeNotifyDirectory, type NotifyOptions, withNotifyMount } from './notify.ts';
import { planOwners } from './owners.ts';
import { compileFilter, type Filter } from './seccomp.ts';
import { checkTerminal } from './terminal.ts';

/** What a container is made from, whether its processes are new or restored. */
export interface ContainerSource extends Omit<CreationOptions, 'keepExit'>, NotifyOptions {
  /** The bundle's directory. */
  readonly bundle: string;
  /** Used instead of the bundle's `config.json`. */
  readonly spec?: RuntimeSpec | undefined;
  /** A file that is used instead of the bundle's `config.json`. */
  readonly config?: string | undefined;
  /** A unix socket that receives the master of the container's terminal. */
  readonly consoleSocket?: string | undefined;
  /** Who makes the container's cgroup; `cgroupfs`, this program itself, by default. */
  readonly cgroupManager?: CgroupManager | undefined;
}

/** A container that has everything but processes. */
export interface EmptyContainer
  extends Required<Pick<StartInitOptions, 'cgroups' | 'deviceProgram' | 'enterCgroup' | 'onCreated'>> {
  readonly creation: Creation;
  readonly bundle: LoadedBundle;
  readonly filter: Filter | undefined;
}

/** Options of {@link makeContainer}. */
export interface MakeContainerOptions extends ContainerSource, Pick<CreationOptions, 'keepExit'> {
  /** Who waits for the first process. */
  readonly lifetime: 'detached' | 'attached';
  /** The profile of `spec` with exact values, when its text was read. */
  readonly seccomp?: SeccompProfile | undefined;
  /** Without a process a container can be made, and never started (runtime-spec `config.md`, "Process"). */
  readonly mayLackProcess?: boolean;
  /** Answer the container's calls about owners from what is noted at its files, and from these. */
  readonly owners?: UnnotedOwners | undefined;
  /** Starts the first process of the container. */
  readonly startFirst: (container: EmptyContainer) => Promise<InitProcess>;
}

function load(id: string, options: ContainerSource): LoadedBundle {
  const bundle = loadRuntimeBundle(options.bundle, { spec: options.spec, config: options.config });
  if (!options.notifySocket) return bundle;
  return { ...bundle, spec: withNotifyMount(bundle.spec, containerDirectory(stateRoot(options), id)) };
}

/**
 * Makes a container and has its first process started. Everything that can be refused is refused before the first effect; a
 * failure after it leaves nothing behind. Throws what `create` throws.
 */
export async function makeContainer(id: string, options: MakeContainerOptions): Promise<PreparedContainer> {
  options.signal?.throwIfAborted();
  checkContainerId(id);
  const root = stateRoot(options);
  const given = load(id, options);
  const owners = options.owners && (await planOwners(id, { root, owners: options.owners, spec: given.spec }));
  const bundle = owners === undefined ? given : { ...given, spec: owners.spec };
  checkSpec(bundle.spec);
  if (!options.mayLackProcess) requireProcess(bundle.spec);
  checkTerminal(bundle.spec, options);
  reportCapabilities(bundle.spec, options.onEvent);
  const own = await compileFilter(options.seccomp ?? bundle.seccomp, options.onEvent);
  const filter = owners === undefined ? own : owners.filter(own);
  const manager = options.cgroupManager ?? 'cgroupfs';
  const group = await planGroup(id, bundle.spec, { manager, signal: options.signal });
  if (group.devicesUnrestricted) {
    const message = 'access to devices is not restricted: no cgroup file system for devices is mounted';
    options.onEvent?.({ type: 'warning', code: 'ERR_OCI_CGROUP_MISSING', message });
  }
  const resctrl = planResctrl(id, bundle.spec.linux?.intelRdt);
  const first = firstRecord(id, bundle, { ...options, root, cgroup: group.record });
  const creation = new Creation(first, { ...options, root });
  try {
    await creation.makeCgroup(group);
    if (resctrl !== undefined) creation.makeResctrl(resctrl);
    if (options.notifySocket) makeNotifyDirectory(containerDirectory(root, id));
    if (filter !== undefined) writeFilter(root, id, filter);
    creation.owners = await owners?.start(options.onEvent);
    const { cgroup } = creation.record;
    const init = await options.startFirst({
      creation,
      bundle,
      filter,
      cgroups: [
        ...(cgroup === undefined ? [] : entriesOf(cgroup)),
        ...(resctrl?.tasks ?? []).map((procs) => ({ procs })),
      ],
      deviceProgram: attachmentOf(cgroup, group.deviceProgram),
      enterCgroup: group.enter,
      onCreated: (pid) => creation.onCreated(pid),
    });
    return await creation.finish(init);
  } catch (error) {
    await creation.undo();
    throw error;
  }
}
