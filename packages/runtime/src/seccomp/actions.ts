import { profileError } from './profile-error.ts';

/** What a filter returns to the kernel, as in linux/seccomp.h. */
export const returns = {
  killProcess: 0x8000_0000,
  killThread: 0,
  trap: 0x0003_0000,
  errno: 0x0005_0000,
  notify: 0x7fc0_0000,
  trace: 0x7ff0_0000,
  log: 0x7ffc_0000,
  allow: 0x7fff_0000,
} as const;

const values: Readonly<Record<string, number>> = {
  SCMP_ACT_KILL: returns.killThread,
  SCMP_ACT_KILL_THREAD: returns.killThread,
  SCMP_ACT_KILL_PROCESS: returns.killProcess,
  SCMP_ACT_TRAP: returns.trap,
  SCMP_ACT_ERRNO: returns.errno,
  SCMP_ACT_TRACE: returns.trace,
  SCMP_ACT_ALLOW: returns.allow,
  SCMP_ACT_LOG: returns.log,
  SCMP_ACT_NOTIFY: returns.notify,
};

/** The names of all actions, sorted. */
export const actionNames: readonly string[] = Object.keys(values).sort();

const eperm = 1;

/** The answer "function not implemented", which makes programs try an older system call. */
export const notImplemented: number = returns.errno + 38;

/** An action and the number that goes with ERRNO and TRACE (EPERM when left out), where in the profile it stands. */
export interface ActionText {
  readonly action: string;
  readonly errnoRet: number | undefined;
  readonly jsonPath: string;
}

/** The value that a filter returns for an action. Throws ERR_OCI_SPEC_UNSUPPORTED for an unknown one. */
export function actionValue({ action, errnoRet = eperm, jsonPath }: ActionText): number {
  const value = Object.hasOwn(values, action) ? values[action] : undefined;
  if (value === undefined) throw profileError(jsonPath, `${JSON.stringify(action)} is not known`);
  if (value !== returns.errno && value !== returns.trace) return value;
  if (!Number.isInteger(errnoRet) || errnoRet < 0 || errnoRet > 0xffff) {
    throw profileError(jsonPath, `has no error number: ${errnoRet}`);
  }
  return value + errnoRet;
}

/** The lower, the stricter: the kernel's own order, in which killing the process is below zero. */
export function permissiveness(value: number): number {
  return value | 0;
}

/** True for actions that let a system call happen, so that an unknown one gets the kernel's own answer. */
export function isPermissive(value: number): boolean {
  return permissiveness(value) >= returns.trace;
}
