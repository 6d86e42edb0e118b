import { RuntimeError } from '../errors.ts';
import type { CompiledPlan } from './compile.ts';
import { planContext } from './context.ts';
import { encodePlan } from './encode.ts';
import { planHeader, planStreams } from './host.ts';
import type { PlanInput } from './input.ts';
import { containerPath } from './mount-targets.ts';
import { inLockedView, planMounts } from './mounts.ts';
import { namespaceFlags } from './namespaces.ts';
import { initStep, type Step, stepsOf } from './step.ts';

/** What is mounted or unmounted in a running container: the mounts of `spec`. */
export interface EditMountsInput extends PlanInput {
  readonly action: 'add' | 'remove';
  readonly target: { readonly pid: number; readonly startTime: number };
}

function unmount(path: string, jsonPath: string): Step {
  return initStep('unmount', { purpose: `unmount ${JSON.stringify(path)}`, jsonPath, fields: { path } });
}

/**
 * What is of the host is opened there, which its kernel lets root alone do; file systems are made in the container's
 * namespaces, since a procfs shows those of whoever makes it.
 */
function placeSteps(open: readonly Step[], uid: number): Step[] {
  const trees = open.filter(({ tag }) => tag === 'openTree');
  const [tree] = trees;
  if (uid !== 0 && tree !== undefined) {
    throw new RuntimeError(
      'ERR_OCI_SPEC_UNSUPPORTED',
      'only root can add bind mounts to a container that runs',
      {
        ...(tree.jsonPath && { jsonPath: tree.jsonPath }),
        hint: 'Give the mount when the container is created, or have root add it.',
      },
    );
  }
  const slots = new Set(trees.map(({ fields }) => fields.slot));
  return open.map((step) => (slots.has(step.fields.slot) ? { ...step, section: 'host' } : step));
}

/**
 * Compiles a change of the mounts of a running container. Throws what `compilePlan` throws for mounts, and
 * ERR_OCI_SPEC_UNSUPPORTED for bind mounts of ordinary users.
 */
export function compileEditMountsPlan(input: EditMountsInput): CompiledPlan {
  const context = planContext(input);
  const { pid, startTime } = input.target;
  const slot = context.slot();
  const types = [...context.created, ...context.joined.keys()];
  const flags = types.reduce((sum, type) => sum + namespaceFlags[type], 0);
  const mounts = input.spec.mounts ?? [];
  const host = stepsOf('host');
  const join = stepsOf('join');
  const plan = input.action === 'add' ? planMounts(context) : undefined;
  const open = placeSteps(plan?.open ?? [], input.host.uid);
  const change =
    plan === undefined
      ? mounts.map(({ destination }, index) =>
          unmount(containerPath(destination), `$.mounts[${index}].destination`),
        )
      : [...plan.attach, ...plan.finish];
  const steps = [
    ...planStreams(context),
    host('openTarget', {
      purpose: `find the container's process ${pid}`,
      fields: { slot, number: pid, soft: startTime },
    }),
    ...(types.includes('user') ? inLockedView(open) : open),
    join('joinTarget', { purpose: "join the container's namespaces", fields: { slot, flags } }),
    ...(types.includes('user') ? [join('becomeRoot', { purpose: 'become root in the user namespace' })] : []),
    join('notDumpable', { purpose: 'hide the init from debuggers' }),
    ...change,
    initStep('created', { purpose: 'report the change' }),
  ];
  const header = planHeader(context, { cloneFlags: 0, joiner: true });
  return { header, steps, bytes: encodePlan(header, steps) };
}
