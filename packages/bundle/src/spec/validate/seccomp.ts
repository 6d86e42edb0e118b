import {
  array,
  type Check,
  integer,
  isObject,
  nonEmptyString,
  object,
  oneOf,
  pattern,
  string,
  uint64,
} from './checks.ts';

const action: Check = oneOf([
  'SCMP_ACT_KILL',
  'SCMP_ACT_KILL_PROCESS',
  'SCMP_ACT_KILL_THREAD',
  'SCMP_ACT_TRAP',
  'SCMP_ACT_ERRNO',
  'SCMP_ACT_TRACE',
  'SCMP_ACT_ALLOW',
  'SCMP_ACT_LOG',
  'SCMP_ACT_NOTIFY',
]);

const operator: Check = oneOf([
  'SCMP_CMP_NE',
  'SCMP_CMP_LT',
  'SCMP_CMP_LE',
  'SCMP_CMP_EQ',
  'SCMP_CMP_GE',
  'SCMP_CMP_GT',
  'SCMP_CMP_MASKED_EQ',
]);

const errorNumber: Check = integer(0, 4095);

/** A system call, or several. */
const names: Check = (value, place) => {
  array(nonEmptyString)(value, place);
  if (Array.isArray(value) && value.length === 0) place.report('must name a system call');
};

/** Only these actions give the program an error number, or tell a tracer one. */
function hasErrno(chosen: unknown): boolean {
  return chosen === 'SCMP_ACT_ERRNO' || chosen === 'SCMP_ACT_TRACE';
}

const anyRule: Check = object({
  required: { names, action },
  optional: {
    errnoRet: errorNumber,
    args: array(
      object({
        required: { index: integer(0, 5), value: uint64, op: operator },
        optional: { valueTwo: uint64 },
      }),
    ),
  },
});

const syscallRule: Check = (value, place) => {
  anyRule(value, place);
  if (!isObject(value) || value['errnoRet'] === undefined || hasErrno(value['action'])) return;
  place.at('errnoRet').report(`is of no use with ${value['action']}`);
};

const anyProfile: Check = object({
  required: { defaultAction: action },
  optional: {
    defaultErrnoRet: errorNumber,
    flags: array(
      oneOf([
        'SECCOMP_FILTER_FLAG_TSYNC',
        'SECCOMP_FILTER_FLAG_LOG',
        'SECCOMP_FILTER_FLAG_SPEC_ALLOW',
        'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV',
      ]),
    ),
    listenerPath: string,
    listenerMetadata: string,
    architectures: array(pattern(/^SCMP_ARCH_[A-Z0-9_]+$/, 'an architecture such as SCMP_ARCH_X86_64')),
    syscalls: array(syscallRule),
  },
});

/** `linux.seccomp` (runtime-spec `config-linux.md`, "Seccomp"). */
export const seccompCheck: Check = (value, place) => {
  anyProfile(value, place);
  if (!isObject(value)) return;
  if (value['defaultErrnoRet'] !== undefined && !hasErrno(value['defaultAction']))
    place.at('defaultErrnoRet').report(`is of no use with ${value['defaultAction']}`);
  if (value['listenerMetadata'] && !value['listenerPath'])
    place.at('listenerMetadata').report('needs a listenerPath');
};
