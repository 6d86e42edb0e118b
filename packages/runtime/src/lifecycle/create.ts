import { type StdioOption, startInit } from '../init/index.ts';
import type { State } from '../state/record.ts';
import { stateOf } from '../state/status.ts';
import { containerDirectory } from '../state/store.ts';
import type { PreparedContainer } from './creation.ts';
import { withHome } from './home.ts';
import { type ContainerSource, type MakeContainerOptions, makeContainer } from './make-container.ts';
import { notifyVariable } from './notify.ts';

/** Options of {@link create}. */
export interface CreateOptions extends ContainerSource {
  /** A unix socket that receives a pidfd of the container's first process. */
  readonly pidfdSocket?: string | undefined;
  /** `NAME=value`, added to the process's environment; not kept in the container's state. */
  readonly env?: readonly string[] | undefined;
  /** How many descriptors after the standard ones the container's process gets. */
  readonly preserveFds?: number | undefined;
  /** Change the root without pivot_root, for a host that runs from its initial ramdisk. */
  readonly noPivot?: boolean | undefined;
  readonly stdio?: readonly [StdioOption, StdioOption, StdioOption] | undefined;
}

/** Options of {@link prepare}: who waits for the init. */
export interface PrepareOptions
  extends CreateOptions,
    Pick<MakeContainerOptions, 'lifetime' | 'keepExit' | 'seccomp' | 'mayLackProcess' | 'owners'> {
  readonly hostSession?: boolean;
}

const inherit = ['inherit', 'inherit', 'inherit'] as const;

/** Makes a container up to the point where its process waits to be started. Throws as {@link create}. */
export async function prepare(id: string, options: PrepareOptions): Promise<PreparedContainer> {
  return await makeContainer(id, {
    ...options,
    startFirst: ({ creation, bundle, filter, ...parts }) => {
      const { record, root } = creation;
      const { directory, rootfs, spec } = bundle;
      const given = spec.process && withHome(spec.process, rootfs);
      const added = [...(options.env ?? []), ...(options.notifySocket ? [notifyVariable] : [])];
      const process = given && { ...given, env: [...(given.env ?? []), ...added] };
      return startInit({
        ...parts,
        ...{ id, bundle: directory, rootfs, seccomp: filter },
        spec: { ...spec, ...(process && { process }) },
        stateDirectory: containerDirectory(root, id),
        stdio: options.stdio ?? inherit,
        lifetime: options.lifetime,
        consoleSocket: options.consoleSocket,
        pidfdSocket: options.pidfdSocket,
        preserveFds: options.preserveFds,
        noPivot: options.noPivot,
        noNewKeyring: options.noNewKeyring,
        exitFile: record.exitFile,
        hostSession: options.hostSession,
        signal: options.signal,
      });
    },
  });
}

/**
 * Creates a container from a bundle (runtime-spec `runtime.md`, "Create"): its namespaces, mounts and cgroup are
 * there, its process waits for `start`. The container outlives this process. Throws ERR_OCI_CONTAINER_EXISTS,
 * ERR_OCI_CONTAINER_ID_INVALID, ERR_OCI_SPEC_… for a configuration that cannot be run, ERR_OCI_CGROUP_…,
 * ERR_OCI_HOOK_FAILED, ERR_OCI_EXEC_… and ERR_OCI_INIT_FAILED.
 */
export async function create(id: string, options: CreateOptions): Promise<State> {
  const { root, record } = await prepare(id, { ...options, lifetime: 'detached', mayLackProcess: true });
  return stateOf(root, record);
}
