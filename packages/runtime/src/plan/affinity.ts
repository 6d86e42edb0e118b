import { onlyFlag } from './format.ts';
import { numberListBits } from './number-list.ts';
import type { Step, StepMaker } from './step.ts';

/** More processors than any kernel is built for (CONFIG_NR_CPUS is at most 8192). */
const cpuLimit = 8192;

/** A mask for sched_setaffinity(2) with every processor; the kernel leaves out those that are not there. */
const everyCpu: Uint8Array = new Uint8Array(cpuLimit / 8).fill(0xff);

/** The mask of a list of processors such as `0-3,7`. Throws ERR_OCI_SPEC_CONFLICT. */
export function cpuMask(list: string, jsonPath: string): Uint8Array {
  return numberListBits(list, { limit: cpuLimit, jsonPath, what: 'processors' });
}

/** What the caller was restricted to is not the container's business: its processors are those of its cgroup. */
export function resetAffinity(step: StepMaker): Step {
  return step('affinity', {
    purpose: "use the cgroup's processors",
    fields: { bytes: everyCpu, flags: onlyFlag },
  });
}
