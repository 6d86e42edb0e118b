import type { NamespaceType } from '@ocijs/bundle/spec';
import type { PlanContext } from './context.ts';
import { onlyFlag, sections } from './format.ts';
import { initStep, type Step, type StepMaker, stepsOf } from './step.ts';
import { timeOffsetsText } from './time-offsets.ts';

/** The flags of clone(2), unshare(2) and setns(2). */
export const namespaceFlags: Readonly<Record<NamespaceType, number>> = {
  time: 0x80,
  mount: 0x20000,
  cgroup: 0x2000000,
  uts: 0x4000000,
  ipc: 0x8000000,
  user: 0x10000000,
  pid: 0x20000000,
  network: 0x40000000,
};

/** Joining the mount namespace last keeps the host's files in sight for the others. */
const joinOrder: readonly NamespaceType[] = ['ipc', 'uts', 'network', 'pid', 'cgroup', 'time', 'mount'];

/** How the container's process comes into its namespaces. */
export interface NamespacePlan {
  readonly cloneFlags: number;
  /** True when a process between monitor and init prepares the clone. */
  readonly joiner: boolean;
  readonly steps: readonly Step[];
}

function flagsOf(types: Iterable<NamespaceType>): number {
  return [...types].reduce((sum, type) => sum + namespaceFlags[type], 0);
}

function jsonPath(context: PlanContext, type: NamespaceType): string {
  const list = context.input.spec.linux?.namespaces ?? [];
  return `$.linux.namespaces[${list.findIndex((namespace) => namespace.type === type)}]`;
}

/** Asks the monitor for the id maps, then becomes the root that they give. */
function enterUserNamespace(context: PlanContext, step: StepMaker): Step[] {
  const flags = context.input.host.uid === 0 ? 0 : 1;
  return [
    step('ask', { purpose: 'wait for the id maps', fields: { number: sections.maps, flags } }),
    becomeRoot(step),
  ];
}

function becomeRoot(step: StepMaker): Step {
  return step('becomeRoot', {
    purpose: 'become root in the user namespace',
    jsonPath: '$.linux.uidMappings',
  });
}

/** A new time namespace is for children: its clocks can be set until the first of them is there. */
function createTimeNamespace(context: PlanContext, step: StepMaker): Step[] {
  if (!context.created.has('time')) return [];
  const purpose = 'create a time namespace';
  return [step('unshare', { purpose, fields: { flags: namespaceFlags.time } })];
}

const clocksDetails = { purpose: 'set the clock offsets', jsonPath: '$.linux.timeOffsets' } as const;

/** In a user namespace the clocks are the monitor's to set: a process that cannot be dumped may not write its own. */
function setClocksOfJoiner(context: PlanContext): Step[] {
  const value = timeOffsetsText(context.input.spec.linux?.timeOffsets);
  if (!context.created.has('time') || value === '') return [];
  const fields = { number: sections.clocks, flags: context.input.host.uid === 0 ? 0 : 1 };
  return [
    stepsOf('clocks')('writeChildProc', { ...clocksDetails, fields: { path: '/timens_offsets', value } }),
    stepsOf('join')('ask', { purpose: 'wait for the clock offsets', fields }),
  ];
}

function setOwnClocks(context: PlanContext): Step[] {
  const value = timeOffsetsText(context.input.spec.linux?.timeOffsets);
  if (!context.created.has('time') || value === '') return [];
  return [stepsOf('host')('writeProc', { ...clocksDetails, fields: { path: 'self/timens_offsets', value } })];
}

function joinNamespaces(context: PlanContext): Step[] {
  const slots = new Map([...context.joined.keys()].map((type) => [type, context.slot()] as const));
  const step = stepsOf('join');
  const set = (type: NamespaceType, flags: number): Step =>
    step('setNamespace', {
      purpose: `join the ${type} namespace ${JSON.stringify(context.joined.get(type))}`,
      jsonPath: jsonPath(context, type),
      fields: { slot: slots.get(type), number: namespaceFlags[type], flags },
    });
  const open = stepsOf('host');
  const opened = [...context.joined].map(([type, path]) =>
    open('openNamespace', {
      purpose: `open the ${type} namespace ${JSON.stringify(path)}`,
      jsonPath: jsonPath(context, type),
      fields: { slot: slots.get(type), path, number: namespaceFlags[type] },
    }),
  );
  const others = joinOrder.filter((type) => context.joined.has(type));
  if (!context.joined.has('user')) return [...opened, ...others.map((type) => set(type, 0))];
  // Some may belong to the host, some to the joined user namespace: each is tried before and after.
  return [
    ...opened,
    ...others.map((type) => set(type, onlyFlag)),
    set('user', 0),
    becomeRoot(step),
    ...others.map((type) => set(type, 0)),
  ];
}

function withJoiner(context: PlanContext): NamespacePlan {
  const step = stepsOf('join');
  const flags = flagsOf([...context.created].filter((type) => !['user', 'cgroup', 'time'].includes(type)));
  const user = context.created.has('user')
    ? [
        step('unshare', { purpose: 'create a user namespace', fields: { flags: namespaceFlags.user } }),
        ...enterUserNamespace(context, step),
      ]
    : [];
  const steps = [
    ...joinNamespaces(context),
    ...user,
    ...createTimeNamespace(context, step),
    ...setClocksOfJoiner(context),
  ];
  return { cloneFlags: flags, joiner: true, steps };
}

function withUserNamespace(context: PlanContext): NamespacePlan {
  const first = [...context.created].filter((type) => type === 'user' || type === 'pid');
  const rest = [...context.created].filter((type) => !['user', 'pid', 'cgroup', 'time'].includes(type));
  // The others are made by the namespace's root, who then owns what they contain (the root of mqueue, for one).
  const unshare = initStep('unshare', {
    purpose: `create the namespaces ${rest.join(', ')}`,
    fields: { flags: flagsOf(rest) },
  });
  return {
    cloneFlags: flagsOf(first),
    joiner: false,
    steps: [...enterUserNamespace(context, initStep), unshare],
  };
}

/** How the namespaces of a configuration are created and joined. */
export function planNamespaces(context: PlanContext): NamespacePlan {
  const { created, joined } = context;
  if (joined.size > 0 || (created.has('user') && created.has('time'))) return withJoiner(context);
  if (created.has('user')) return withUserNamespace(context);
  const flags = flagsOf([...created].filter((type) => type !== 'cgroup' && type !== 'time'));
  const steps = [...createTimeNamespace(context, stepsOf('host')), ...setOwnClocks(context)];
  return { cloneFlags: flags, joiner: false, steps };
}

/** The cgroup namespace is made when the process is in its cgroup, which becomes the root that it sees. */
export function cgroupNamespace(context: PlanContext): Step[] {
  if (!context.created.has('cgroup')) return [];
  return [
    initStep('unshare', { purpose: 'create a cgroup namespace', fields: { flags: namespaceFlags.cgroup } }),
  ];
}
