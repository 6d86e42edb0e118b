import { posix } from 'node:path';
import {
  type CapabilityMasks,
  capabilityBit,
  capabilityMasks,
  grantableCapabilities,
} from './capabilities.ts';
import { conflict, type ProcessContext } from './context.ts';
import { onlyFlag, tryGroupsFlag } from './format.ts';
import { groupsDenied } from './id-maps.ts';
import { listenerState } from './listener.ts';
import { initStep, type Step } from './step.ts';

const sigkill = 9;
const idLimit = 2 ** 32 - 2;

function checkedId(id: number, jsonPath: string): number {
  // 2^32 - 1 means "leave it as it is" to the kernel: the process would stay root.
  if (!Number.isInteger(id) || id < 0 || id > idLimit) throw conflict(jsonPath, `is no id: ${id}`);
  return id;
}

function identityStep(context: ProcessContext): Step {
  const user = context.input.spec.process?.user ?? { uid: 0, gid: 0 };
  const groups = Uint32Array.from(
    (user.additionalGids ?? []).map((gid, index) =>
      checkedId(gid, `$.process.user.additionalGids[${index}]`),
    ),
  );
  const denied = groupsDenied(context);
  const isTried = groups.length === 0 && context.joined.has('user');
  if (groups.length > 1024) throw conflict('$.process.user.additionalGids', 'has more than 1024 entries');
  if (denied && groups.length > 0) {
    throw conflict('$.process.user.additionalGids', 'cannot be set where only one own group is mapped');
  }
  const uid = checkedId(user.uid ?? 0, '$.process.user.uid');
  const gid = checkedId(user.gid ?? 0, '$.process.user.gid');
  return initStep('identity', {
    purpose: `become user ${uid}, group ${gid}`,
    jsonPath: '$.process.user',
    fields: {
      uid,
      gid,
      bytes: new Uint8Array(groups.buffer),
      flags: denied ? onlyFlag : isTried ? tryGroupsFlag : 0,
    },
  });
}

function masksOf({ input }: ProcessContext): CapabilityMasks {
  const grantable = grantableCapabilities(input.spec, input.host.capabilities);
  return capabilityMasks(input.spec.process?.capabilities, grantable);
}

function capabilitiesStep(masks: CapabilityMasks, more: bigint): Step {
  return initStep('capabilities', {
    purpose: 'set the capabilities',
    jsonPath: '$.process.capabilities',
    fields: {
      effective: masks.effective,
      permitted: masks.permitted | more,
      inheritable: masks.inheritable,
    },
  });
}

/** Where a program is looked for: its path, or its name in every directory of the container's PATH. */
export function executableCandidates(name: string, env: readonly string[]): string[] {
  if (name.includes('/')) return [name];
  const path = env.findLast((variable) => variable.startsWith('PATH='))?.slice(5) ?? '/bin:/usr/bin';
  return path.split(':').map((directory) => posix.join(directory || '.', name));
}

function lookupStep(context: ProcessContext): Step {
  const { args = [], env = [] } = context.input.spec.process ?? {};
  const [name] = args;
  if (!name) throw conflict('$.process.args', 'must name a program');
  const path = executableCandidates(name, env);
  return initStep('lookup', {
    purpose: `execute ${JSON.stringify(name)}`,
    jsonPath: '$.process.args[0]',
    fields: { path },
  });
}

function changeDirectory(context: ProcessContext, flags = 0): Step {
  const path = context.input.spec.process?.cwd || '/';
  const purpose = `change to the working directory ${JSON.stringify(path)}`;
  return initStep('directoryChange', { purpose, jsonPath: '$.process.cwd', fields: { path, flags } });
}

/** From a finished root file system to a process that waits for `start`, with the rights of the container's user. */
export function planIdentity(context: ProcessContext): Step[] {
  const process = context.input.spec.process;
  const masks = masksOf(context);
  const isAttached = context.input.lifetime === 'attached';
  const noNewPrivileges = process?.noNewPrivileges === true;
  return [
    ...(noNewPrivileges
      ? [initStep('noNewPrivileges', { purpose: 'set no_new_privs', jsonPath: '$.process.noNewPrivileges' })]
      : []),
    initStep('umask', { purpose: 'set the umask', fields: { mode: process?.user.umask ?? 0o022 } }),
    changeDirectory(context, onlyFlag),
    initStep('bounding', {
      purpose: 'set the bounding capabilities',
      jsonPath: '$.process.capabilities.bounding',
      fields: { number: masks.bounding },
    }),
    identityStep(context),
    // A change of identity makes a process dumpable by some settings, and forgets its parent's death signal.
    initStep('notDumpable', { purpose: 'hide the init from debuggers' }),
    initStep('parentDeath', {
      purpose: "follow the parent's end",
      fields: { number: isAttached ? sigkill : 0 },
    }),
    capabilitiesStep(masks, seccompNeeds(context)),
    changeDirectory(context),
    ...(process === undefined ? [] : [lookupStep(context)]),
  ];
}

/** Without no_new_privs a filter can only be loaded with this; it is held back until then. */
function seccompNeeds(context: ProcessContext): bigint {
  const { spec, seccomp } = context.input;
  const isNeeded = seccomp !== undefined && spec.process?.noNewPrivileges !== true;
  return isNeeded ? (capabilityBit('CAP_SYS_ADMIN') ?? 0n) : 0n;
}

/** Of several values of a variable the last one; programs differ in which one they see. */
function lastValues(env: readonly string[]): string[] {
  return [...new Map(env.map((variable) => [variable.split('=', 1)[0], variable])).values()];
}

/** From `start` to the container's own program. */
export function planExec(context: ProcessContext): Step[] {
  const { spec, seccomp } = context.input;
  const { args = [], env = [] } = spec.process ?? {};
  const masks = masksOf(context);
  const admin = seccompNeeds(context);
  const steps: Step[] = [];
  if (admin !== 0n) steps.push(capabilitiesStep({ ...masks, effective: masks.effective | admin }, admin));
  if (seccomp !== undefined) {
    const fields = { bytes: seccomp.program, flags: seccomp.flags, ...listenerState(context) };
    steps.push(
      initStep('seccomp', { purpose: 'load the seccomp filter', jsonPath: '$.linux.seccomp', fields }),
    );
  }
  if (admin !== 0n) steps.push(capabilitiesStep(masks, 0n));
  const ambient = { purpose: 'set the ambient capabilities', jsonPath: '$.process.capabilities.ambient' };
  return [
    ...steps,
    initStep('ambient', { ...ambient, fields: { number: masks.ambient } }),
    initStep('exec', {
      purpose: `execute ${JSON.stringify(args[0])}`,
      jsonPath: '$.process.args',
      fields: {
        text: `exec ${args[0]}`,
        argument: args,
        variable: lastValues(env),
      },
    }),
  ];
}
