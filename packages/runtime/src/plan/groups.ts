import { posix } from 'node:path';
import { birthFlags } from './format.ts';
import type { CgroupEntry } from './input.ts';
import { type Step, type StepMaker, stepsOf } from './step.ts';

/** How a new process comes into its cgroups. */
export interface GroupPlan {
  /** Before it is cloned. */
  readonly open: readonly Step[];
  /** What it does itself, first of all. */
  readonly enter: readonly Step[];
  /** What the monitor does for it, where it could not. */
  readonly attend: readonly Step[];
}

function purposeOf({ procs }: CgroupEntry): string {
  return `join the cgroup ${JSON.stringify(procs)}`;
}

/** The monitor's way: writing the id of the process. */
export function joinStep(entry: CgroupEntry, slot?: number): Step {
  const { procs, otherwise } = entry;
  const fields = { path: procs, source: otherwise, slot };
  return stepsOf('attend')('joinCgroup', { purpose: purposeOf(entry), fields });
}

/**
 * Plans the way into groups. Writing a process's id makes the kernel wait until no process forks, which takes it 10 ms
 * and more, so that is the last resort: a process is born into a group of cgroup v2, and one of a single thread goes into
 * those of v1 by itself, without that wait.
 */
export function planEntry(
  entries: readonly CgroupEntry[],
  options: {
    readonly slot: () => number;
    /** Makes steps of the process that enters. */
    readonly step: StepMaker;
    /** Which process is born into the group of cgroup v2. */
    readonly birth: keyof typeof birthFlags;
  },
): GroupPlan {
  const host = stepsOf('host');
  const open: Step[] = [];
  const enter: Step[] = [];
  const attend: Step[] = [];
  for (const entry of entries) {
    const { procs, version } = entry;
    const slot = version === undefined ? undefined : options.slot();
    const purpose = purposeOf(entry);
    const directory = posix.dirname(procs);
    if (version === 'v1') {
      open.push(host('openCgroup', { purpose, fields: { slot, path: `${directory}/tasks` } }));
      enter.push(options.step('enterCgroup', { purpose, fields: { slot } }));
    } else if (version === 'v2') {
      const flags = birthFlags[options.birth];
      open.push(host('openCgroup', { purpose, fields: { slot, path: directory, flags } }));
    }
    attend.push(joinStep(entry, slot));
  }
  return { open, enter, attend };
}
