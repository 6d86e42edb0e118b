import { type CompiledPlan, planDevices, planHostGroup } from './compile.ts';
import type { ProcessContext } from './context.ts';
import { encodePlan } from './encode.ts';
import { planFlags, sections } from './format.ts';
import { joinStep } from './groups.ts';
import { planHeader, planStreams } from './host.ts';
import type { PlanInput, ProcessInput } from './input.ts';
import { propagationFlags } from './mount-options.ts';
import { openTreeStep } from './mount-steps.ts';
import { type Step, stepsOf } from './step.ts';

/** What a conversation with criu is compiled from. */
export interface CriuPlanInput extends ProcessInput {
  /** Absolute. */
  readonly criu: string;
  readonly images: string;
  readonly work: string;
  /** Files that the request names by their numbers, in order. */
  readonly inherited: readonly string[];
  readonly request: Uint8Array;
  /** The groups that criu, and so what it restores, is in. */
  readonly cgroups: PlanInput['cgroups'];
  readonly hostCgroup: boolean;
  readonly deviceProgram?: PlanInput['deviceProgram'];
  /** Restore below this root file system; without it nothing is mounted. */
  readonly rootfs?: string | undefined;
}

const host = stepsOf('host');
const mountNamespace = 0x20000;

/** criu wants the root as a mount of its own: one that goes with the monitor. */
function planRoot(rootfs: string): Step[] {
  const jsonPath = '$.root.path';
  return [
    host('unshare', { purpose: 'separate mounts from the host', fields: { flags: mountNamespace } }),
    host('mountAttributes', {
      purpose: 'separate mounts from the host',
      fields: { path: '/', propagation: propagationFlags.slave, recursive: 1 },
    }),
    openTreeStep(host, { slot: 0, path: rootfs, recursive: true, jsonPath }),
    host('root', { purpose: 'mount the root file system', jsonPath, fields: { slot: 0, path: rootfs } }),
  ];
}

/** Compiles a conversation with criu: it is the monitor's, and a restored container its child. */
export function compileCriuPlan(input: CriuPlanInput): CompiledPlan {
  const context: ProcessContext = { input, created: new Set(), joined: new Map() };
  const steps = [
    ...planStreams(context),
    ...(input.hostCgroup ? planHostGroup(input) : planDevices(input, 'attend')),
    ...input.cgroups.map((entry) => joinStep(entry)),
    ...(input.rootfs === undefined ? [] : planRoot(input.rootfs)),
    host('criu', {
      purpose: `have ${input.criu} do its work`,
      fields: {
        path: input.criu,
        argument: [input.criu, 'swrk', '902'],
        source: input.images,
        value: input.work,
        key: input.inherited,
        number: sections.attend,
        bytes: input.request,
      },
    }),
  ];
  const { flags, ...header } = planHeader(context, { cloneFlags: 0, joiner: false });
  const whole = { ...header, flags: flags | planFlags.hostOnly };
  return { header: whole, steps, bytes: encodePlan(whole, steps) };
}
