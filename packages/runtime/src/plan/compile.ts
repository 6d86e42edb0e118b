import { type PlanContext, planContext } from './context.ts';
import { encodePlan, type PlanHeader } from './encode.ts';
import { planFlags, sections } from './format.ts';
import { planIdMaps } from './id-maps.ts';
import type { PlanInput } from './input.ts';
import { planLabels } from './labels.ts';
import { cgroupNamespace, planNamespaces } from './namespaces.ts';
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
  const { input } = context;
  const step = stepsOf('host');
  const { exitFile, consoleSocket } = input;
  return [
    ...(input.pipes === 0 ? [] : [step('pipes', { purpose: 'make pipes', fields: { flags: input.pipes } })]),
    step('notDumpable', { purpose: 'hide the monitor from debuggers' }),
    ...(exitFile === undefined
      ? []
      : [
          step('exitFile', {
            purpose: 'keep the exit file',
            fields: { path: exitFile, source: `${exitFile}.new` },
          }),
        ]),
    ...(consoleSocket === undefined
      ? []
      : [
          step('consoleSocket', {
            purpose: `connect to the console socket ${JSON.stringify(consoleSocket)}`,
            fields: { path: consoleSocket },
          }),
        ]),
    step('fifo', { purpose: 'make the exec fifo', fields: { path: `${input.stateDirectory}/exec.fifo` } }),
  ];
}

/** What the monitor does for the new process before it goes on: cgroups first, so that all it uses is counted. */
function planAttendance(context: PlanContext): Step[] {
  const { cgroupProcs, deviceProgram, spec } = context.input;
  const step = stepsOf('attend');
  const score = spec.process?.oomScoreAdj;
  return [
    ...(deviceProgram === undefined
      ? []
      : [
          step('deviceProgram', {
            purpose: `restrict the devices of the cgroup ${JSON.stringify(deviceProgram.cgroup)}`,
            jsonPath: '$.linux.resources.devices',
            fields: { path: deviceProgram.cgroup, bytes: deviceProgram.program },
          }),
        ]),
    ...cgroupProcs.map((path) =>
      step('joinCgroup', { purpose: `join the cgroup ${JSON.stringify(path)}`, fields: { path } }),
    ),
    ...(score === undefined
      ? []
      : [
          step('oomScore', {
            purpose: `set the OOM score to ${score}`,
            jsonPath: '$.process.oomScoreAdj',
            fields: { value: String(score) },
          }),
        ]),
  ];
}

function ask(
  section: keyof typeof sections,
  steps: readonly Step[],
  options: { readonly dumpable: boolean },
): Step[] {
  if (steps.length === 0) return [];
  const fields = { number: sections[section], flags: options.dumpable ? 1 : 0 };
  return [initStep('ask', { purpose: 'wait for the monitor', fields })];
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

function planSession(context: PlanContext): Step[] {
  const { noNewKeyring, id } = context.input;
  return [
    initStep('session', { purpose: 'start a session' }),
    ...(noNewKeyring
      ? []
      : [initStep('keyring', { purpose: 'make a session keyring', fields: { text: `_ses.${id}` } })]),
    ...(context.created.has('network')
      ? [initStep('loopback', { purpose: 'bring up the loopback interface' })]
      : []),
  ];
}

function planHeader(context: PlanContext, namespaces: { cloneFlags: number; joiner: boolean }): PlanHeader {
  const { lifetime, hostSession, consoleSocket, spec, preserveFds } = context.input;
  const relays = lifetime === 'attached' && spec.process?.terminal === true && consoleSocket === undefined;
  const flags =
    (lifetime === 'attached' ? planFlags.attached : 0) |
    (hostSession ? planFlags.hostSession : 0) |
    (relays ? planFlags.relay : 0) |
    (namespaces.joiner ? planFlags.joiner : 0);
  return { flags, cloneFlags: namespaces.cloneFlags, preservedFds: preserveFds };
}

/**
 * Compiles a configuration into the plan that the native init carries out. A pure function: it looks at nothing but its
 * input. Throws ERR_OCI_SPEC_CONFLICT and ERR_OCI_SPEC_UNSUPPORTED for what can be known to fail beforehand.
 */
export function compilePlan(input: PlanInput): CompiledPlan {
  const context = planContext(input);
  const namespaces = planNamespaces(context);
  const attend = planAttendance(context);
  const limits = planRlimits(input.spec.process?.rlimits);
  const hooks = input.hostHooks ? [stepsOf('hooks')('hostHooks', { purpose: 'run the host hooks' })] : [];
  const dumpable = input.host.uid !== 0;
  const uid = input.spec.process?.user?.uid ?? 0;
  const steps = [
    ...planHost(context),
    ...planIdMaps(context),
    ...attend,
    ...hooks,
    ...limits,
    ...namespaces.steps,
    ...ask('attend', attend, { dumpable }),
    ...cgroupNamespace(context),
    ...planSession(context),
    ...ask('hooks', hooks, { dumpable }),
    ...planNames(context),
    ...planSysctl(context),
    ...planRoot(context),
    initStep('stdio', {
      purpose: "give the standard streams to the container's user",
      fields: { uid, flags: input.spec.process?.terminal === true ? 1 : 0 },
    }),
    ...planScheduling(context),
    ...planLabels(context),
    ...ask('limits', limits, { dumpable }),
    initStep('closeFds', { purpose: 'close what the container must not see' }),
    ...planIdentity(context),
    initStep('created', { purpose: 'report the container as created' }),
    initStep('waitStart', { purpose: 'wait for start' }),
    ...planExec(context),
  ];
  const header = planHeader(context, namespaces);
  return { header, steps, bytes: encodePlan(header, steps) };
}
