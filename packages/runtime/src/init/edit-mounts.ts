import { compileEditMountsPlan } from '../plan/edit-mounts.ts';
import type { ProcessIdentity } from '../process/stat.ts';
import { hostFacts } from './host.ts';
import { runPlan } from './monitor.ts';
import { processInput } from './start.ts';
import type { ProcessOptions } from './types.ts';

/** Options of `editMounts`. */
export interface EditMountsOptions extends Pick<ProcessOptions, 'id' | 'bundle' | 'spec' | 'signal'> {
  readonly action: 'add' | 'remove';
  readonly rootfs: string;
  /** The container's first process. */
  readonly target: ProcessIdentity;
}

/** Mounts the mounts of `spec` in a running container, or unmounts them. Throws ERR_OCI_SPEC_CONFLICT and ERR_OCI_INIT_FAILED. */
export async function editMounts(options: EditMountsOptions): Promise<void> {
  const { process: _, ...spec } = options.spec;
  const linux = { ...spec.linux };
  delete linux.seccomp;
  const common = {
    id: options.id,
    bundle: options.bundle,
    spec: { ...spec, linux },
    stdio: ['ignore', 'ignore', 'ignore'],
    lifetime: 'detached',
    signal: options.signal,
  } as const;
  const plan = compileEditMountsPlan({
    ...processInput(common),
    action: options.action,
    target: options.target,
    rootfs: options.rootfs,
    stateDirectory: '',
    cgroups: [],
    noPivot: false,
    hostHooks: false,
    hostCgroup: false,
    host: hostFacts({
      cgroups: spec.mounts?.some(({ type }) => type === 'cgroup' || type === 'cgroup2') ?? false,
      kernelMounts: false,
      idMapHelpers: false,
      labels: Boolean(linux.mountLabel),
    }),
  });
  await using _change = await runPlan(plan, { ...common, terminal: false });
}
