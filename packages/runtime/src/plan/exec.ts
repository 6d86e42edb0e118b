import { cpuMask, resetAffinity } from './affinity.ts';
import type { CompiledPlan } from './compile.ts';
import { type ProcessContext, processContext } from './context.ts';
import { encodePlan } from './encode.ts';
import { planEntry } from './groups.ts';
import { ask, planHeader, planOomScore, planSession, planStdio, planStreams } from './host.ts';
import type { ExecPlanInput } from './input.ts';
import { planLabels } from './labels.ts';
import { hasListener } from './listener.ts';
import { namespaceFlags } from './namespaces.ts';
import { planExec, planIdentity } from './process.ts';
import { planRlimits } from './rlimits.ts';
import { planScheduling } from './scheduling.ts';
import { initStep, type Step, stepsOf } from './step.ts';
import { planConsole } from './terminal.ts';

/** The place of the container's first process among open descriptors: nothing else is kept open. */
const targetSlot = 0;

const join = stepsOf('join');

/** Which processors the process may use before and after it joins the cgroup (`process.execCPUAffinity`). */
function planAffinity(context: ProcessContext): { readonly before: Step[]; readonly after: Step[] } {
  const { initial = '', final = '' } = context.input.spec.process?.execCPUAffinity ?? {};
  const set = (list: string, name: string): Step => {
    const jsonPath = `$.process.execCPUAffinity.${name}`;
    const fields = { bytes: cpuMask(list, jsonPath) };
    return join('affinity', { purpose: `use the processors ${list}`, jsonPath, fields });
  };
  return {
    before: initial === '' ? [] : [set(initial, 'initial')],
    after: final !== '' ? [set(final, 'final')] : initial === '' ? [resetAffinity(join)] : [],
  };
}

function joinContainer(context: ProcessContext): Step[] {
  const types = [...context.created, ...context.joined.keys()];
  const flags = types.reduce((sum, type) => sum + namespaceFlags[type], 0);
  const inUserNamespace = types.includes('user');
  return [
    join('joinTarget', { purpose: "join the container's namespaces", fields: { slot: targetSlot, flags } }),
    ...(inUserNamespace ? [join('becomeRoot', { purpose: 'become root in the user namespace' })] : []),
    // The change of identity may have undone it, and the container will see what is cloned next.
    join('notDumpable', { purpose: 'hide the init from debuggers' }),
  ];
}

/**
 * Compiles a further process of a running container. Whatever needs the host happens before the process that the
 * container can see is cloned: that one has no descriptor of the host but its streams and the channel to the monitor
 * (and, to write its label or tell an agent its process id, the host's /proc). Throws ERR_OCI_SPEC_CONFLICT and ERR_OCI_SPEC_UNSUPPORTED.
 */
export function compileExecPlan(input: ExecPlanInput): CompiledPlan {
  const context = processContext(input);
  const { pid, startTime } = input.target;
  let slots = targetSlot + 1;
  const groups = planEntry(input.cgroups, { slot: () => slots++, step: join, birth: 'child' });
  const attend = [...groups.attend, ...planOomScore(context)];
  const limits = planRlimits(input.spec.process?.rlimits);
  const labels = planLabels(context);
  const affinity = planAffinity(context);
  const dumpable = input.host.uid !== 0;
  const close = { purpose: 'close what the container must not see' };
  const steps = [
    ...planStreams(context),
    stepsOf('host')('openTarget', {
      purpose: `find the container's process ${pid}`,
      fields: { slot: targetSlot, number: pid, soft: startTime },
    }),
    ...groups.open,
    ...attend,
    ...limits,
    ...affinity.before,
    ...groups.enter,
    ...ask('attend', attend, { dumpable, step: join }),
    ...affinity.after,
    ...joinContainer(context),
    ...(labels.length === 0 && !hasListener(context) ? [join('closeFds', close)] : []),
    ...planSession(context),
    ...planConsole(context, { isFirst: false }),
    ...planStdio(context),
    ...planScheduling(context),
    ...labels,
    // Setting limits of another process takes the same user or a capability, not the right to debug it.
    ...ask('limits', limits, { dumpable: false }),
    initStep('closeFds', close),
    ...planIdentity(context),
    initStep('created', { purpose: 'report the process as ready' }),
    ...planExec(context),
  ];
  const header = planHeader(context, { cloneFlags: 0, joiner: true });
  return { header, steps, bytes: encodePlan(header, steps) };
}
