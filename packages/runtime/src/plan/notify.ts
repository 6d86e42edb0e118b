import type { CompiledPlan } from './compile.ts';
import { encodePlan } from './encode.ts';
import { planFlags } from './format.ts';
import { stepsOf } from './step.ts';

/** What the wait for a container's readiness is compiled from. */
export interface NotifyPlanInput {
  /** The container's first process; the start time tells it from a later one of the same id. */
  readonly target: { readonly pid: number; readonly startTime: number };
  /** The directory that the container sees, and the name of its socket there. */
  readonly directory: string;
  readonly name: string;
  /** The service manager's socket: a path, or an abstract name that starts with `@`. */
  readonly manager: string;
  /** Tell the service manager to look after the container's first process from then on. */
  readonly isMain: boolean;
}

const host = stepsOf('host');
const targetSlot = 0;

/** Compiles the wait for a container's readiness, which the monitor passes on. */
export function compileNotifyPlan(input: NotifyPlanInput): CompiledPlan {
  const { target, directory, name, manager, isMain } = input;
  const header = { flags: planFlags.hostOnly, cloneFlags: 0, preservedFds: 0 };
  const steps = [
    host('openTarget', {
      purpose: `find the container's process ${target.pid}`,
      fields: { slot: targetSlot, number: target.pid, soft: target.startTime },
    }),
    host('notify', {
      purpose: `tell ${JSON.stringify(manager)} that the container is ready`,
      fields: {
        slot: targetSlot,
        path: directory,
        text: name,
        source: manager,
        number: isMain ? target.pid : 0,
      },
    }),
  ];
  return { header, steps, bytes: encodePlan(header, steps) };
}
