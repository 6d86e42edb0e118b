import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileSeccomp } from './compile.ts';
import { defaultSeccompProfile } from './default-profile.ts';
import { exactProfile } from './exact-values.ts';
import { loadProgram } from './testing/bpf.ts';
import type { SeccompProfile } from './types.ts';

const x64 = 0xc000003e;
const x86 = 0x40000003;
const allow = 0x7fff0000;
const eperm = 0x50001;
const enosys = 0x50026;

function verdict(profile: SeccompProfile, number: number, ...args: (number | bigint)[]): number {
  return verdictOn(x64, profile, number, ...args);
}

function verdictOn(
  architecture: number,
  profile: SeccompProfile,
  number: number,
  ...args: (number | bigint)[]
): number {
  const { program } = compileSeccomp(profile, { architecture: 'x64' });
  return loadProgram(program).run({ number, architecture, args: args.map(BigInt) }).value;
}

function one(action: string, more: Partial<SeccompProfile> = {}): SeccompProfile {
  return { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir'], action, errnoRet: 13 }], ...more };
}

for (const [action, value] of [
  ['KILL', 0],
  ['KILL_THREAD', 0],
  ['KILL_PROCESS', 0x80000000],
  ['TRAP', 0x30000],
  ['ERRNO', 0x5000d],
  ['TRACE', 0x7ff0000d],
  ['LOG', 0x7ffc0000],
  ['NOTIFY', 0x7fc00000],
] as const) {
  test(`${action} is what the kernel calls it`, () => {
    assert.equal(verdict(one(`SCMP_ACT_${action}`), 83), value);
    assert.equal(verdict(one(`SCMP_ACT_${action}`), 84), allow);
  });
}

test('an error number that is left out is EPERM', () => {
  const syscalls = [{ names: ['write'], action: 'SCMP_ACT_ALLOW' }];
  assert.equal(verdict({ defaultAction: 'SCMP_ACT_ERRNO', syscalls }, 0), eperm);
  assert.equal(verdict({ defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 5, syscalls }, 0), 0x50005);
});

test('calls newer than the profile do not exist, unless they are let through', () => {
  const syscalls = [{ names: ['write', 'mkdir', 'no_such_call'], action: 'SCMP_ACT_ALLOW' }];
  assert.equal(verdict({ defaultAction: 'SCMP_ACT_ERRNO', syscalls }, 82), eperm);
  assert.equal(verdict({ defaultAction: 'SCMP_ACT_ERRNO', syscalls }, 84), enosys);
  assert.equal(verdict({ defaultAction: 'SCMP_ACT_KILL_PROCESS', syscalls }, 84), enosys);
  assert.equal(verdict({ defaultAction: 'SCMP_ACT_LOG', syscalls }, 84), 0x7ffc0000);
});

test('names that nobody knows are reported', () => {
  const syscalls = [{ names: ['write', 'no_such_call', 'set_tls'], action: 'SCMP_ACT_ALLOW' }];
  const { unknownSyscalls } = compileSeccomp({ defaultAction: 'SCMP_ACT_ERRNO', syscalls });
  assert.deepEqual(unknownSyscalls, ['no_such_call']);
});

test('programs of architectures that are not listed are killed', () => {
  const profile = one('SCMP_ACT_ERRNO');
  assert.equal(verdictOn(x86, profile, 39), 0);
  assert.equal(verdict(profile, 0x40000000 + 83), 0);
  assert.equal(verdict(profile, 0xffffffff), allow);
  const both = one('SCMP_ACT_ERRNO', { architectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'] });
  assert.equal(verdictOn(x86, both, 39), 0x5000d);
  assert.equal(verdictOn(x86, both, 83), allow);
  assert.equal(verdict(both, 0x40000000 + 83), 0x5000d);
});

test('socketcall stands for the calls behind it, with conditions only to deny', () => {
  const architectures = ['SCMP_ARCH_X86'];
  const args = [{ index: 0, value: 16, op: 'SCMP_CMP_EQ' }];
  const allowing: SeccompProfile = {
    defaultAction: 'SCMP_ACT_ERRNO',
    architectures,
    syscalls: [
      { names: ['bind', 'write', 'mseal'], action: 'SCMP_ACT_ALLOW' },
      { names: ['socket'], action: 'SCMP_ACT_ALLOW', args },
    ],
  };
  assert.equal(verdictOn(x86, allowing, 102, 2, 0x1000), allow);
  assert.equal(verdictOn(x86, allowing, 102, 1, 0x1000), eperm);
  assert.equal(verdictOn(x86, allowing, 359, 16), allow);
  const denying = {
    defaultAction: 'SCMP_ACT_ALLOW',
    architectures,
    syscalls: [{ names: ['socket'], action: 'SCMP_ACT_ERRNO', args }],
  };
  assert.equal(verdictOn(x86, denying, 102, 1, 0x1000), eperm);
  assert.equal(verdictOn(x86, denying, 102, 2, 0x1000), allow);
});

test('a rounded value is refused, an exact one is compared with all its bits', () => {
  const profile = (value: number | bigint): SeccompProfile => ({
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [
      { names: ['mkdir'], action: 'SCMP_ACT_ERRNO', args: [{ index: 1, value, op: 'SCMP_CMP_EQ' }] },
    ],
  });
  assert.throws(() => compileSeccomp(profile(2 ** 64)), {
    code: 'ERR_OCI_SPEC_UNSUPPORTED',
    facts: { jsonPath: '$.linux.seccomp.syscalls[0].args[0].value' },
  });
  assert.throws(() => compileSeccomp(profile(2 ** 53)), { code: 'ERR_OCI_SPEC_UNSUPPORTED' });
  assert.equal(verdict(profile(2n ** 64n - 2n), 83, 0, 2n ** 64n - 2n), eperm);
  assert.equal(verdict(profile(2n ** 64n - 2n), 83, 0, 2n ** 64n - 1n), allow);
});

test('the text of a configuration gives exact values', () => {
  const text =
    '{"linux":{"seccomp":{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_ERRNO"},' +
    '{"names":["mkdir"],"action":"SCMP_ACT_ERRNO","args":[{"index":0,"value":18446744073709551612,"valueTwo":9007199254740993,"op":"SCMP_CMP_EQ"}]}]}}}';
  const profile = exactProfile(JSON.parse(text).linux.seccomp, Buffer.from(text));
  assert.equal(profile.syscalls?.[1]?.args?.[0]?.value, 18446744073709551612n);
  assert.equal(profile.syscalls?.[1]?.args?.[0]?.valueTwo, 9007199254740993n);
  assert.deepEqual(profile.syscalls?.[0], { names: ['mkdir'], action: 'SCMP_ACT_ERRNO' });
});

test('flags are those of seccomp(2)', () => {
  const flags = (names: string[], action = 'SCMP_ACT_ERRNO'): number =>
    compileSeccomp(one(action, { flags: names.map((name) => `SECCOMP_FILTER_FLAG_${name}`) })).flags;
  assert.equal(compileSeccomp(one('SCMP_ACT_ERRNO')).flags, 4);
  assert.equal(flags([]), 0);
  assert.equal(flags(['TSYNC', 'LOG', 'SPEC_ALLOW']), 7);
  assert.equal(flags(['WAIT_KILLABLE_RECV']), 0);
  assert.equal(flags(['WAIT_KILLABLE_RECV'], 'SCMP_ACT_NOTIFY'), 40);
  assert.equal(flags(['TSYNC'], 'SCMP_ACT_NOTIFY'), 25);
});

test('a listener is reported, and cannot be the default', () => {
  const profile = one('SCMP_ACT_NOTIFY', { listenerPath: '/run/agent', listenerMetadata: 'x' });
  assert.deepEqual(compileSeccomp(profile).listener, { path: '/run/agent', metadata: 'x' });
  assert.throws(() => compileSeccomp({ defaultAction: 'SCMP_ACT_NOTIFY' }), {
    code: 'ERR_OCI_SPEC_UNSUPPORTED',
  });
  const write = { names: ['write'], action: 'SCMP_ACT_NOTIFY' };
  assert.throws(() => compileSeccomp({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [write] }), {
    message: /SCMP_ACT_NOTIFY cannot be used for the write syscall/,
  });
});

for (const [what, profile, jsonPath] of [
  ['an action', { defaultAction: 'ALLOW' }, '$.linux.seccomp.defaultAction'],
  ['an inherited name', { defaultAction: 'constructor' }, '$.linux.seccomp.defaultAction'],
  ['a flag', one('SCMP_ACT_LOG', { flags: ['FAST'] }), '$.linux.seccomp.flags[0]'],
  [
    'an architecture',
    one('SCMP_ACT_LOG', { architectures: ['SCMP_ARCH_VAX'] }),
    '$.linux.seccomp.architectures[0]',
  ],
  [
    'a byte order',
    one('SCMP_ACT_LOG', { architectures: ['SCMP_ARCH_S390X'] }),
    '$.linux.seccomp.architectures[0]',
  ],
] as const) {
  test(`${what} that cannot be compiled is refused`, () => {
    assert.throws(() => compileSeccomp(profile, { architecture: 'x64' }), {
      code: 'ERR_OCI_SPEC_UNSUPPORTED',
      facts: { jsonPath },
    });
  });
}

test('a filter that the kernel would not take is refused', () => {
  const args = (value: number) => [0, 1, 2, 3, 4, 5].map((index) => ({ index, value, op: 'SCMP_CMP_GT' }));
  const syscalls = Array.from({ length: 200 }, (_, value) => ({
    names: ['mkdir'],
    action: 'SCMP_ACT_ERRNO',
    args: args(value + 1),
  }));
  assert.throws(() => compileSeccomp({ defaultAction: 'SCMP_ACT_ALLOW', syscalls }), /kernel takes 4096/);
});

test('jumps over more than 255 instructions arrive', () => {
  const names = ['read', 'write', 'open', 'close', 'stat', 'fstat', 'lstat', 'poll'];
  const syscalls = names.flatMap((name, number) =>
    Array.from({ length: 12 }, (_, index) => ({
      names: [name],
      action: 'SCMP_ACT_ERRNO',
      errnoRet: 1 + ((number + index) % 5),
      args: [{ index: index % 6, value: 1000 * (number + 1) + index, op: 'SCMP_CMP_EQ' }],
    })),
  );
  const profile = { defaultAction: 'SCMP_ACT_ALLOW', syscalls };
  const filter = loadProgram(compileSeccomp(profile, { architecture: 'x64' }).program);
  assert.ok(filter.length > 300, `${filter.length}`);
  for (const [number] of names.entries()) {
    for (let index = 0; index < 12; index++) {
      const args = [9n, 9n, 9n, 9n, 9n, 9n].with(index % 6, BigInt(1000 * (number + 1) + index));
      const expected = 0x50001 + ((number + index) % 5);
      assert.equal(filter.run({ number, architecture: x64, args }).value, expected);
    }
  }
});

test("Docker's default profile is short, fast and depends on capabilities", () => {
  const profile = defaultSeccompProfile(['CAP_CHOWN'], { architecture: 'x64', kernel: '6.1.0' });
  const { program, unknownSyscalls } = compileSeccomp(profile, { architecture: 'x64' });
  const filter = loadProgram(program);
  assert.deepEqual(unknownSyscalls, []);
  assert.ok(filter.length < 700, `${filter.length} instructions`);
  for (let number = 0; number < 480; number++) {
    const { steps } = filter.run({ number, architecture: x64, args: Array(6).fill(5n) });
    assert.ok(steps <= 36, `${steps} steps for ${number}`);
  }
  const mount = 165;
  assert.equal(verdict(profile, mount), eperm);
  assert.equal(verdict(defaultSeccompProfile(['CAP_SYS_ADMIN'], { architecture: 'x64' }), mount), allow);
  assert.equal(verdict(profile, 435), enosys);
  assert.equal(verdict(profile, 56, 0x10000000), eperm);
  assert.equal(verdict(profile, 56, 0x11), allow);
  assert.equal(verdict(profile, 41, 38), eperm);
  assert.equal(verdict(profile, 41, 2), allow);
});

test("Docker's default profile for old kernels and other processors", () => {
  const names = (architecture: string, kernel: string): string[] =>
    defaultSeccompProfile([], { architecture, kernel }).syscalls?.flatMap((rule) => rule.names) ?? [];
  assert.ok(!names('x64', '4.7.10').includes('ptrace'));
  assert.ok(names('x64', '4.8.0-rc1').includes('ptrace'));
  assert.ok(names('arm64', '6.1').includes('set_tls'));
  assert.ok(!names('x64', '6.1').includes('set_tls'));
  assert.deepEqual(defaultSeccompProfile([], { architecture: 'arm64' }).architectures, [
    'SCMP_ARCH_AARCH64',
    'SCMP_ARCH_ARM',
  ]);
});
