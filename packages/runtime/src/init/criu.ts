import { type CriuPlanInput, compileCriuPlan } from '../plan/criu.ts';
import { hostFacts } from './host.ts';
import { runPlan } from './monitor.ts';
import { processInput } from './start.ts';
import type { InitProcess, ProcessOptions } from './types.ts';

/** Options of `startCriu`. */
export interface StartCriuOptions
  extends ProcessOptions,
    Pick<
      CriuPlanInput,
      'criu' | 'images' | 'work' | 'inherited' | 'request' | 'cgroups' | 'deviceProgram' | 'rootfs'
    > {
  readonly enterCgroup?: ((pid: number) => Promise<void>) | undefined;
  /** Called when the restored container's namespaces are there. */
  readonly onCreated?: ((pid: number) => Promise<void>) | undefined;
}

/**
 * Has criu carry out a request. A restored container's process is the monitor's child from then on; of other requests the
 * process that is returned has the id 0. Throws what `runPlan` throws.
 */
export async function startCriu(options: StartCriuOptions): Promise<InitProcess> {
  const { criu, images, work, inherited, request, cgroups, deviceProgram, rootfs } = options;
  // The filter comes with the images.
  const { seccomp: _, ...linux } = options.spec.linux ?? {};
  const plan = compileCriuPlan({
    ...processInput({ ...options, spec: { ...options.spec, linux } }),
    ...{ criu, images, work, inherited, request, cgroups, deviceProgram, rootfs },
    hostCgroup: options.enterCgroup !== undefined,
    host: hostFacts({ cgroups: false, kernelMounts: false, idMapHelpers: false, labels: false }),
  });
  return await runPlan(plan, { ...options, terminal: options.spec.process?.terminal === true });
}
