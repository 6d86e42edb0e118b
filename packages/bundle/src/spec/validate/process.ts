import { idLimit } from '../limits.ts';
import {
  absolutePath,
  array,
  boolean,
  type Check,
  int32,
  integer,
  nonEmptyString,
  object,
  oneOf,
  pattern,
  string,
  uint32,
  uint64,
  uniqueBy,
} from './checks.ts';

/** A user or group id; 2^32 - 1 is excluded because the kernel takes it as "leave unchanged". */
const id: Check = integer(0, idLimit);

/** Names that no kernel knows are for the runtime to warn of. */
const capabilityNames: Check = array(nonEmptyString);

const rlimit: Check = (value, place) => {
  object({
    required: {
      type: pattern(/^RLIMIT_[A-Z]+$/, 'a limit such as RLIMIT_NOFILE'),
      soft: uint64,
      hard: uint64,
    },
  })(value, place);
  const { soft, hard } = (value ?? {}) as { soft?: unknown; hard?: unknown };
  if (typeof soft === 'number' && typeof hard === 'number' && soft > hard) {
    place.at('soft').report('must not be above the hard limit');
  }
};

const cpuList: Check = pattern(/^[0-9, -]*$/, 'a list of processors such as 0-3,7');

const scheduler: Check = object({
  required: {
    policy: oneOf([
      'SCHED_OTHER',
      'SCHED_FIFO',
      'SCHED_RR',
      'SCHED_BATCH',
      'SCHED_ISO',
      'SCHED_IDLE',
      'SCHED_DEADLINE',
    ]),
  },
  optional: {
    nice: int32,
    priority: int32,
    flags: array(pattern(/^SCHED_FLAG_[A-Z_]+$/, 'a scheduler flag')),
    runtime: uint64,
    deadline: uint64,
    period: uint64,
  },
});

/** `process` (runtime-spec `config.md`, "Process"). */
export const processCheck: Check = object({
  required: { cwd: absolutePath },
  optional: {
    terminal: boolean,
    consoleSize: object({ required: { height: uint64, width: uint64 } }),
    user: object({
      optional: { uid: id, gid: id, umask: uint32, additionalGids: array(id), username: string },
    }),
    args: array(string),
    env: array(pattern(/^[^=]+=/, 'NAME=value')),
    capabilities: object({
      optional: {
        bounding: capabilityNames,
        effective: capabilityNames,
        inheritable: capabilityNames,
        permitted: capabilityNames,
        ambient: capabilityNames,
      },
    }),
    rlimits: uniqueBy('type', array(rlimit)),
    noNewPrivileges: boolean,
    apparmorProfile: string,
    oomScoreAdj: integer(-1000, 1000),
    selinuxLabel: string,
    scheduler,
    ioPriority: object({
      required: { class: oneOf(['IOPRIO_CLASS_RT', 'IOPRIO_CLASS_BE', 'IOPRIO_CLASS_IDLE']) },
      optional: { priority: integer(0, 7) },
    }),
    execCPUAffinity: object({ optional: { initial: cpuList, final: cpuList } }),
  },
});

/** One hook (runtime-spec `config.md`, "POSIX-platform Hooks"). */
export const hookCheck: Check = object({
  required: { path: absolutePath },
  optional: { args: array(string), env: array(nonEmptyString), timeout: integer(1, 2 ** 31 - 1) },
});
