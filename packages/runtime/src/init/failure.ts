import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import { RuntimeError } from '../errors.ts';
import type { CompiledPlan } from '../plan/compile.ts';
import { targetFlags } from '../plan/format.ts';
import type { Step } from '../plan/step.ts';
import { type Message, noStep } from './messages.ts';
import { exitOf } from './wait-status.ts';

const hints: readonly { readonly tag: Step['tag']; readonly errno: string; readonly hint: string }[] = [
  {
    tag: 'resourceLimit',
    errno: 'EPERM',
    hint: 'Raising a hard limit needs CAP_SYS_RESOURCE; give a lower one.',
  },
  {
    tag: 'filesystem',
    errno: 'EPERM',
    hint: 'An own user or pid namespace may be missing, or the host hides parts of /proc.',
  },
  {
    tag: 'idMapHelper',
    errno: 'EPERM',
    hint: 'Check the ranges of this user in /etc/subuid and /etc/subgid.',
  },
  {
    tag: 'deviceProgram',
    errno: 'EPERM',
    hint: 'Device rules on cgroup v2 need CAP_BPF and CAP_NET_ADMIN, or CAP_SYS_ADMIN, in the initial user namespace.',
  },
  {
    tag: 'deviceProgram',
    errno: 'EINVAL',
    hint: 'The kernel may be built without CONFIG_CGROUP_BPF.',
  },
  {
    tag: 'attach',
    errno: 'ELOOP',
    hint: 'A symbolic link of the image stands where a kernel file system goes.',
  },
  {
    tag: 'mountAttributes',
    errno: 'EPERM',
    hint: 'The source is mounted with an option that a user namespace cannot take back: leave it out, or mount the source otherwise.',
  },
  {
    tag: 'openTree',
    errno: 'EINVAL',
    hint: 'In a user namespace a directory comes with all that is mounted below it: use rbind.',
  },
  {
    tag: 'listenerSocket',
    errno: 'ENOENT',
    hint: 'The runtime failed to connect with seccomp agent: it must listen before the container is created.',
  },
  {
    tag: 'scheduler',
    errno: 'EPERM',
    hint: "A process scheduler can't be used together with AllowedCPUs, a cpuset of some processors; real-time needs CAP_SYS_NICE.",
  },
  {
    tag: 'attach',
    errno: 'EROFS',
    hint: 'The target does not exist and cannot be made on a read-only file system.',
  },
];

function describe(errno: number): { readonly name: string; readonly text: string } {
  const known = getSystemErrorMap().get(-errno);
  if (known === undefined) return { name: `errno ${errno}`, text: `error ${errno}` };
  return { name: known[0], text: known[1] };
}

function lookupFailure(step: Step, errno: number): RuntimeError {
  const name = step.purpose.replace(/^execute /, '');
  const facts = {
    errno: describe(errno).name,
    path: JSON.parse(name) as string,
    jsonPath: step.jsonPath ?? '',
  };
  const isMissing = errno === constants.errno.ENOENT || errno === constants.errno.ENOTDIR;
  if (!isMissing) {
    const message = `cannot execute ${name}: ${describe(errno).text}`;
    return new RuntimeError('ERR_OCI_EXEC_DENIED', message, facts);
  }
  const message = name.includes('/')
    ? `cannot execute ${name}: no such file or directory`
    : `executable file not found in $PATH: ${name}`;
  return new RuntimeError('ERR_OCI_EXEC_NOT_FOUND', message, facts);
}

/** What a signal means for those who do not know it by its name. */
function cause(signal: string): string {
  return signal === 'SIGSYS' ? ' (bad system call)' : '';
}

/** The error of a hook that the init ran inside the container. */
export function hookFailure(
  place: { readonly purpose: string; readonly jsonPath?: string | undefined },
  message: Message,
): RuntimeError {
  const { name, text } = describe(message.errno);
  const { exitCode, signal } = exitOf(message.value);
  const ends: Readonly<Record<string, string>> = {
    ECANCELED: signal === undefined ? `exit status ${exitCode}` : `killed by ${signal}${cause(signal)}`,
    ETIMEDOUT: 'killed by SIGKILL (it took longer than its timeout)',
  };
  const output = message.detail.trim();
  const reason = `${ends[name] ?? text}${output === '' ? '' : `, output: ${output}`}`;
  return new RuntimeError(
    'ERR_OCI_HOOK_FAILED',
    `error ${place.purpose.replace(/^run/, 'running')}: ${reason}`,
    { errno: name, jsonPath: place.jsonPath ?? '' },
  );
}

function earlyEnd(message: Message): RuntimeError {
  const { exitCode, signal } = exitOf(message.value);
  const how = signal === undefined ? `with status ${exitCode}` : `by ${signal}`;
  return new RuntimeError('ERR_OCI_INIT_FAILED', `the init ended ${how} before the container was created`, {
    ...(signal === 'SIGKILL' && { hint: 'The memory limit may be too low for the container to start.' }),
  });
}

/** True for a target that may not be a link of the image. */
function isStrict({ fields }: Step): boolean {
  return (Number(fields?.['flags'] ?? 0) & targetFlags.strict) !== 0;
}

/** The error of a failed step, in words: what could not be done, with which object, and why. */
export function stepFailure(plan: CompiledPlan, message: Message): RuntimeError {
  if (message.step === noStep && message.errno === 0) return earlyEnd(message);
  const step = plan.steps[message.step];
  if (step?.tag === 'lookup') return lookupFailure(step, message.errno);
  if (step?.tag === 'hook') return hookFailure(step, message);
  const { name, text: words } = describe(message.errno);
  const isLink = step?.tag === 'attach' && name === 'ELOOP' && isStrict(step);
  const text = isLink ? 'must be mounted on ordinary directory' : words;
  const purpose = step?.purpose ?? 'start the init';
  const detail = message.detail === '' ? '' : ` (${message.detail.replaceAll('\n', ' ').trim()})`;
  const hint = hints.find(({ tag, errno }) => tag === step?.tag && errno === name)?.hint;
  return new RuntimeError('ERR_OCI_INIT_FAILED', `cannot ${purpose}: ${text}${detail}`, {
    errno: name,
    ...(step?.jsonPath !== undefined && { jsonPath: step.jsonPath }),
    ...(hint !== undefined && { hint }),
  });
}
