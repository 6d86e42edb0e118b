import { isToldToStop, thawCgroup } from '../cgroup/freeze.ts';
import { signalProcess } from '../process/signal.ts';
import type { ContainerRecord } from '../state/record.ts';

/**
 * Kills a container's first process; false when it has ended already. A frozen process of cgroup v1 does not die before it
 * may go on.
 */
export function killFirst(record: ContainerRecord): boolean {
  const { init, cgroup } = record;
  const isKilled = init !== undefined && signalProcess(init, 9);
  if (isKilled && isToldToStop(cgroup)) thawCgroup(cgroup);
  return isKilled;
}
