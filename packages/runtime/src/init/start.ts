import { RuntimeError } from '../errors.ts';
import { compilePlan } from '../plan/compile.ts';
import type { ProcessInput } from '../plan/input.ts';
import { hostFacts } from './host.ts';
import { runPlan } from './monitor.ts';
import { pipeMask } from './pipes.ts';
import type { InitProcess, ProcessOptions, StartInitOptions } from './types.ts';

/** The part of a plan's input that every process has. */
export function processInput(options: ProcessOptions): Omit<ProcessInput, 'host'> {
  const { spec } = options;
  if (spec.linux?.seccomp && options.seccomp === undefined) {
    throw new RuntimeError('ERR_OCI_SPEC_UNSUPPORTED', 'config.json: $.linux.seccomp was not compiled', {
      jsonPath: '$.linux.seccomp',
    });
  }
  return {
    spec,
    id: options.id,
    bundle: options.bundle,
    pipes: spec.process?.terminal === true ? 0 : pipeMask(options.stdio),
    consoleSocket: options.consoleSocket,
    pidfdSocket: options.pidfdSocket,
    preserveFds: options.preserveFds ?? 0,
    noNewKeyring: options.noNewKeyring ?? false,
    lifetime: options.lifetime,
    exitFile: options.exitFile,
    hostSession: options.hostSession ?? false,
    seccomp: options.seccomp,
  };
}

function needsLabels({ linux, process }: ProcessOptions['spec']): boolean {
  return Boolean(linux?.mountLabel ?? process?.selinuxLabel ?? process?.apparmorProfile);
}

/**
 * Creates a container's process: it is in its namespaces and cgroups, its root file system is in place, and it waits for
 * `releaseInit`. Throws ERR_OCI_SPEC_CONFLICT and ERR_OCI_SPEC_UNSUPPORTED for a configuration that cannot be carried
 * out, and what `runPlan` throws. A failed or aborted call leaves no process, mount, descriptor or file behind.
 */
export async function startInit(options: StartInitOptions): Promise<InitProcess> {
  options.signal?.throwIfAborted();
  const { spec, noPivot = false } = options;
  const plan = compilePlan({
    ...processInput(options),
    rootfs: options.rootfs,
    stateDirectory: options.stateDirectory,
    cgroups: options.cgroups,
    noPivot,
    hostHooks: options.onCreated !== undefined,
    hostCgroup: options.enterCgroup !== undefined,
    deviceProgram: options.deviceProgram,
    host: hostFacts({
      cgroups: spec.mounts?.some(({ type }) => type === 'cgroup' || type === 'cgroup2') ?? false,
      kernelMounts: noPivot,
      idMapHelpers: spec.linux?.namespaces?.some(({ type }) => type === 'user') ?? false,
      labels: needsLabels(spec),
    }),
  });
  return await runPlan(plan, { ...options, terminal: spec.process?.terminal === true });
}
