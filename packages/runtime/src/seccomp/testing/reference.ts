import { type Architecture, findArchitecture, syscallNumber, x32Bit } from '../architectures.ts';
import type { ProfileArgument, ProfileSyscall, SeccompProfile } from '../types.ts';
import type { SyscallData } from './bpf.ts';

/** What a profile means, written down without regard to how it is compiled. */

const actions: Readonly<Record<string, number>> = {
  SCMP_ACT_KILL: 0,
  SCMP_ACT_KILL_THREAD: 0,
  SCMP_ACT_KILL_PROCESS: 0x80000000,
  SCMP_ACT_TRAP: 0x30000,
  SCMP_ACT_ERRNO: 0x50000,
  SCMP_ACT_NOTIFY: 0x7fc00000,
  SCMP_ACT_TRACE: 0x7ff00000,
  SCMP_ACT_LOG: 0x7ffc0000,
  SCMP_ACT_ALLOW: 0x7fff0000,
};

const enosys = 0x50026;

function actionOf(name: string, errno = 1): number {
  return (actions[name] ?? 0) + (name === 'SCMP_ACT_ERRNO' || name === 'SCMP_ACT_TRACE' ? errno : 0);
}

function holds({ op, value, valueTwo = 0 }: ProfileArgument, argument: bigint, bits: 32 | 64): boolean {
  const cut = (number: number | bigint): bigint => BigInt.asUintN(bits, BigInt(number));
  const [left, right] = [cut(argument), cut(value)];
  if (op === 'SCMP_CMP_EQ') return left === right;
  if (op === 'SCMP_CMP_NE') return left !== right;
  if (op === 'SCMP_CMP_LT') return left < right;
  if (op === 'SCMP_CMP_LE') return left <= right;
  if (op === 'SCMP_CMP_GT') return left > right;
  if (op === 'SCMP_CMP_GE') return left >= right;
  return (left & right) === (cut(valueTwo) & right);
}

function matches({ args = [] }: ProfileSyscall, data: SyscallData, bits: 32 | 64): boolean {
  const results = args.map((argument) => holds(argument, data.args[argument.index] ?? 0n, bits));
  const isAlternative = new Set(args.map(({ index }) => index)).size < args.length;
  return isAlternative ? results.includes(true) : !results.includes(false);
}

function isFor(entry: ProfileSyscall, data: SyscallData, architecture: Architecture): boolean {
  return entry.names.some((name) => syscallNumber(architecture, name) === data.number);
}

/** True when the number is above all that the profile names, or a stand-in for such a number. */
export function isNewer(profile: SeccompProfile, architecture: Architecture, number: number): boolean {
  if (/ALLOW|LOG|TRACE/.test(profile.defaultAction)) return false;
  const names = (profile.syscalls ?? []).flatMap((entry) => entry.names);
  const largest = Math.max(-1, ...names.map((name) => syscallNumber(architecture, name) ?? -1));
  const isSetup = architecture.table.startsWith('s390') && number === 0;
  return largest > 0 && (number > largest || isSetup);
}

/**
 * What the filter of a profile returns, for profiles without rules for what `socketcall` and `ipc` stand for.
 * `native` is the architecture that is always allowed.
 */
export function expectedVerdict(profile: SeccompProfile, data: SyscallData, native: string): number {
  const names = new Set([native, ...(profile.architectures ?? [])]);
  const allowed = [...names].map((name) => findArchitecture(name) as Architecture);
  const otherwise = actionOf(profile.defaultAction, profile.defaultErrnoRet);
  const candidates = allowed.filter(({ audit }) => audit === data.architecture);
  const hasX32Bit = Math.floor(data.number / x32Bit) % 2 === 1;
  const isX86 = data.architecture === 0xc000003e;
  const architecture = candidates.find(({ table }) => !isX86 || (table === 'x32') === hasX32Bit);
  if (architecture !== undefined && isNewer(profile, architecture, data.number)) return enosys;
  if (isX86 && data.number >= x32Bit && candidates.length === 1)
    return data.number === 0xffffffff ? otherwise : 0;
  if (architecture === undefined) return 0;
  const rules = (profile.syscalls ?? []).filter(
    (entry) => isFor(entry, data, architecture) && actionOf(entry.action, entry.errnoRet) !== otherwise,
  );
  const rule =
    rules.find(({ args = [] }) => args.length === 0) ??
    rules.find((entry) => matches(entry, data, architecture.bits));
  return rule === undefined ? otherwise : actionOf(rule.action, rule.errnoRet);
}
