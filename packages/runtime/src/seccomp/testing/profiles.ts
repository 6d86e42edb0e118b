import fc from 'fast-check';
import { type Architecture, findArchitecture, syscallNumber } from '../architectures.ts';
import { syscallTable } from '../syscall-table.ts';
import type { ProfileArgument, ProfileSyscall, SeccompProfile } from '../types.ts';
import type { SyscallData } from './bpf.ts';

/** Calls that no architecture multiplexes. */
export const plainCalls: readonly string[] = [...syscallTable('x86_64').keys()].filter(
  (name) =>
    !/^(socket|bind|connect|listen|accept|getsock|getpeer|send|recv|shutdown|setsockopt|sem|msg|shm)/.test(
      name,
    ),
);

/** Values at which comparisons of 64 bits in two halves go wrong. */
export const boundaries: readonly bigint[] = [
  0n,
  1n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  0x1_0000_0000n,
  0x1_0000_0001n,
  0x7fff_ffff_ffff_ffffn,
  0xffff_ffff_0000_0000n,
  0xffff_ffff_ffff_fffen,
  0xffff_ffff_ffff_ffffn,
];

const value = fc.oneof(
  { arbitrary: fc.constantFrom(...boundaries), weight: 3 },
  { arbitrary: fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }), weight: 1 },
);

export const operators: readonly string[] = 'EQ NE LT LE GT GE MASKED_EQ'
  .split(' ')
  .map((name) => `SCMP_CMP_${name}`);

const argument: fc.Arbitrary<ProfileArgument> = fc.record({
  index: fc.integer({ min: 0, max: 5 }),
  value,
  valueTwo: value,
  op: fc.constantFrom(...operators),
});

const action: fc.Arbitrary<string> = fc.constantFrom(
  ...'KILL KILL_THREAD KILL_PROCESS TRAP ERRNO TRACE ALLOW LOG'.split(' ').map((name) => `SCMP_ACT_${name}`),
);

const errno = fc.constantFrom(1, 13, 38);

/** Few names, so that rules for the same call meet. */
const names = fc.array(
  fc.oneof(
    fc.constantFrom(...plainCalls),
    fc.constantFrom('read', 'write', 'openat', 'clone', 'personality'),
  ),
  { minLength: 1, maxLength: 12 },
);

const entry: fc.Arbitrary<ProfileSyscall> = fc.record(
  { names, action, errnoRet: errno, args: fc.array(argument, { maxLength: 4 }) },
  { requiredKeys: ['names', 'action'] },
);

/** What runs on one processor. */
export const families: Readonly<Record<string, readonly string[]>> = {
  x64: ['X86_64', 'X86', 'X32'],
  arm64: ['AARCH64', 'ARM'],
  riscv64: ['RISCV64'],
  s390x: ['S390X', 'S390'],
  ppc64: ['PPC64LE'],
  loong64: ['LOONGARCH64'],
};

/** Profiles for a processor, with any actions, operators and architectures. */
export function profiles(processor: string): fc.Arbitrary<SeccompProfile> {
  const architectures = (families[processor] ?? []).map((name) => `SCMP_ARCH_${name}`);
  return fc.record(
    {
      defaultAction: action,
      defaultErrnoRet: errno,
      architectures: fc.subarray(architectures),
      syscalls: fc.array(entry, { maxLength: 20 }),
    },
    { requiredKeys: ['defaultAction'] },
  );
}

/** The architectures of a processor. */
export function familyOf(processor: string): readonly Architecture[] {
  return (families[processor] ?? []).map((name) => findArchitecture(`SCMP_ARCH_${name}`) as Architecture);
}

/** A system call of one of these architectures, with arguments at or near the boundaries. */
export function calls(family: readonly Architecture[]): fc.Arbitrary<SyscallData> {
  const near = fc
    .tuple(value, fc.constantFrom(-1n, 0n, 1n))
    .map(([base, step]) => BigInt.asUintN(64, base + step));
  return fc.record({
    architecture: fc.constantFrom(...family.map(({ audit }) => audit), 0x1234),
    number: fc.oneof(
      fc.constantFrom(
        ...family.flatMap(({ table, base }) => [...syscallTable(table).values()].map((n) => n + base)),
      ),
      fc.constantFrom(0, 0x3fffffff, 0x40000000, 0x7fffffff, 0x80000000, 0xbfffffff, 0xc0000000, 0xffffffff),
    ),
    args: fc.array(near, { minLength: 6, maxLength: 6 }),
  });
}

/** The same arguments with the calls that the profile has rules for. */
export function aimed(
  sample: readonly SyscallData[],
  profile: SeccompProfile,
  family: readonly Architecture[],
): SyscallData[] {
  const names = (profile.syscalls ?? []).flatMap((rule) => rule.names);
  const targets = family.flatMap((architecture) =>
    names.flatMap((name) => {
      const number = syscallNumber(architecture, name);
      return number === undefined ? [] : [{ number, architecture: architecture.audit }];
    }),
  );
  return targets.length === 0
    ? []
    : sample.map((data, index) => ({ ...data, ...targets[index % targets.length] }));
}
