import { compileExecPlan } from '../plan/exec.ts';
import type { CgroupEntry } from '../plan/input.ts';
import type { ProcessIdentity } from '../process/stat.ts';
import { hostFacts } from './host.ts';
import { runPlan } from './monitor.ts';
import { processInput } from './start.ts';
import type { InitProcess, ProcessOptions } from './types.ts';

/** Options of `startExec`. */
export interface StartExecOptions extends ProcessOptions {
  /** The container's first process. */
  readonly target: ProcessIdentity;
  /** The groups that the process is in before it does anything. */
  readonly cgroups: readonly CgroupEntry[];
}

/**
 * Starts a further process in a running container: `spec.process`, in the container's namespaces. It runs when this
 * returns. Throws ERR_OCI_SPEC_CONFLICT and ERR_OCI_SPEC_UNSUPPORTED for a process that cannot be, and what `runPlan`
 * throws.
 */
export async function startExec(options: StartExecOptions): Promise<InitProcess> {
  options.signal?.throwIfAborted();
  const { process } = options.spec;
  const labels = Boolean(process?.selinuxLabel ?? process?.apparmorProfile);
  const plan = compileExecPlan({
    ...processInput(options),
    target: options.target,
    cgroups: options.cgroups,
    host: hostFacts({ cgroups: false, kernelMounts: false, idMapHelpers: false, labels }),
  });
  return await runPlan(plan, { ...options, terminal: process?.terminal === true });
}
