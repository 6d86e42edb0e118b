import { resetAffinity } from './affinity.ts';
import { type PlanContext, planContext } from './context.ts';
import { encodePlan, type PlanHeader } from './encode.ts';
import { type GroupPlan, joinStep, planEntry } from './groups.ts';
import { hooksSeeRoot, planContainerHooks, planStartResult } from './hooks.ts';
import { ask, planHeader, planOomScore, planSession, planStdio, planStreams } from './host.ts';
import { planIdMaps } from './id-maps.ts';
import type { PlanInput } from './input.ts';
import { planLabels } from './labels.ts';
import { cgroupNamespace, planNamespaces } from './namespaces.ts';
import { planNetDevices } from './net-devices.ts';
import { planExec, planIdentity } from './process.ts';
import { planRlimits } from './rlimits.ts';
import { planRoot } from './root.ts';
import { planScheduling } from './scheduling.ts';
import { initStep, type Step, stepsOf } from './step.ts';
import { planSysctl } from './sysctl.ts';

/** A launch plan: its bytes, and its steps, whose numbers the init reports when one fails. */
export interface CompiledPlan {
  readonly header: PlanHeader;
  readonly steps: readonly Step[];
  readonly bytes: Buffer;
}

function planHost(context: PlanContext): Step[] {
  const path = `${context.input.stateDirectory}/exec.fifo`;
  return [
    ...planStreams(context),
    ...planStartResult(context),
    stepsOf('host')('fifo', { purpose: 'make the exec fifo', fields: { path } }),
  ];
}

/** Attaches what decides about devices to the group of cgroup v2. */
export function planDevices(
  input: Pick<PlanInput, 'deviceProgram'>,
  section: 'host' | 'attend',
): readonly Step[] {
  const { deviceProgram } = input;
  if (deviceProgram === undefined) return [];
  return [
    stepsOf(section)('deviceProgram', {
      purpose: `restrict the devices of the cgroup ${JSON.stringify(deviceProgram.cgroup)}`,
      jsonPath: '$.linux.resources.devices',
      fields: { path: deviceProgram.cgroup, bytes: deviceProgram.program },
    }),
  ];
}

/** Has the caller put a new process into its cgroup, whose devices are restricted then. */
export function planHostGroup(input: Pick<PlanInput, 'deviceProgram'>): Step[] {
  const make = stepsOf('attend')('hostCgroup', { purpose: 'make the cgroup' });
  return [make, ...planDevices(input, 'attend')];
}

/** Puts a new process into its cgroups, where devices are restricted before it is there. */
function planGroups(context: PlanContext): GroupPlan {
  const { input, slot } = context;
  const entries = input.cgroups;
  if (input.hostCgroup) {
    const attend = [...planHostGroup(input), ...entries.map((entry) => joinStep(entry))];
    return { open: [], enter: [], attend };
  }
  const plan = planEntry(entries, { slot, step: initStep, birth: 'init' });
  return { ...plan, open: [...planDevices(input, 'host'), ...plan.open] };
}

function planNames(context: PlanContext): Step[] {
  const { hostname, domainname } = context.input.spec;
  return [
    ...(hostname
      ? [
          initStep('hostname', {
            purpose: 'set the host name',
            jsonPath: '$.hostname',
            fields: { text: hostname },
          }),
        ]
      : []),
    ...(domainname
      ? [
          initStep('domainname', {
            purpose: 'set the domain name',
            jsonPath: '$.domainname',
            fields: { text: domainname },
          }),
        ]
      : []),
  ];
}

function planNetwork(context: PlanContext): Step[] {
  if (!context.created.has('network')) return [];
  return [initStep('loopback', { purpose: 'bring up the loopback interface' })];
}

/** From `start` to the container's program. Hooks in the container are under its filter, as in runc, and have no more rights. */
function planStart(context: PlanContext): Step[] {
  if (context.input.spec.process === undefined) return [];
  const exec = planExec(context);
  const filtered = exec.findIndex(({ tag }) => tag === 'ambient');
  return [
    ...exec.slice(0, filtered),
    ...planContainerHooks(context, 'startContainer'),
    ...exec.slice(filtered),
  ];
}

/**
 * Compiles a configuration into the plan that the native init carries out. A pure function: it looks at nothing but its
 * input. Throws ERR_OCI_SPEC_CONFLICT and ERR_OCI_SPEC_UNSUPPORTED for what can be known to fail beforehand.
 */
export function compilePlan(input: PlanInput): CompiledPlan {
  const context = planContext(input);
  const namespaces = planNamespaces(context);
  const groups = planGroups(context);
  // Cgroups first, so that all that the process uses is counted.
  const attend = [...groups.attend, ...planOomScore(context), ...planNetDevices(context)];
  const limits = planRlimits(input.spec.process?.rlimits);
  const hooks = input.hostHooks ? [stepsOf('hooks')('hostHooks', { purpose: 'run the host hooks' })] : [];
  const dumpable = input.host.uid !== 0;
  const runHooks = ask('hooks', hooks, { dumpable });
  const isLate = hooksSeeRoot(context);
  const steps = [
    ...planHost(context),
    ...groups.open,
    ...planIdMaps(context),
    ...attend,
    ...hooks,
    ...limits,
    ...namespaces.steps,
    ...groups.enter,
    ...ask('attend', attend, { dumpable }),
    resetAffinity(initStep),
    ...cgroupNamespace(context),
    ...planSession(context),
    ...planNetwork(context),
    ...(isLate ? [] : runHooks),
    ...planRoot(context, isLate ? runHooks : []),
    // After the hooks, which may bring interfaces that parameters are for.
    ...planNames(context),
    ...planSysctl(context),
    ...planStdio(context),
    ...planScheduling(context),
    ...planLabels(context),
    ...ask('limits', limits, { dumpable }),
    initStep('closeFds', { purpose: 'close what the container must not see' }),
    ...planIdentity(context),
    initStep('created', { purpose: 'report the container as created' }),
    initStep('waitStart', { purpose: 'wait for start' }),
    ...planStart(context),
  ];
  const header = planHeader(context, namespaces);
  return { header, steps, bytes: encodePlan(header, steps) };
}
