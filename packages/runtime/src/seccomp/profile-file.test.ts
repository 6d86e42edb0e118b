import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSeccompProfile } from './profile-file.ts';

const host = { architecture: 'x64', kernel: '6.1.0' };

function read(value: unknown, capabilities: readonly string[] = []) {
  return readSeccompProfile(Buffer.from(JSON.stringify(value)), capabilities, host);
}

test("rules in Docker's form are those for the container and the host", () => {
  const allow = { action: 'SCMP_ACT_ALLOW', args: null };
  const profile = {
    defaultAction: 'SCMP_ACT_ERRNO',
    archMap: [
      { architecture: 'SCMP_ARCH_AARCH64', subArchitectures: ['SCMP_ARCH_ARM'] },
      { architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86'] },
    ],
    syscalls: [
      { ...allow, names: ['read'], includes: {}, excludes: {} },
      { ...allow, name: 'write' },
      { ...allow, names: ['mount'], includes: { caps: ['CAP_SYS_ADMIN'] } },
      { ...allow, names: ['clone'], excludes: { caps: ['CAP_SYS_ADMIN'], arches: ['s390x'] } },
      { ...allow, names: ['arch_prctl'], includes: { arches: ['amd64'] } },
      { ...allow, names: ['set_tls'], includes: { arches: ['arm64'] } },
      { ...allow, names: ['ptrace'], includes: { minKernel: '4.8' } },
      { ...allow, names: ['mseal'], includes: { minKernel: '6.10' } },
    ],
  };
  const names = (capabilities: string[]) =>
    read(profile, capabilities).syscalls?.flatMap((rule) => rule.names);
  assert.deepEqual(names([]), ['read', 'write', 'clone', 'arch_prctl', 'ptrace']);
  assert.deepEqual(names(['CAP_SYS_ADMIN']), ['read', 'write', 'mount', 'arch_prctl', 'ptrace']);
  assert.deepEqual(read(profile).architectures, ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86']);
});

test("a profile in the specification's form stays as it is", () => {
  const profile = {
    defaultAction: 'SCMP_ACT_ALLOW',
    architectures: ['SCMP_ARCH_X86_64'],
    flags: ['SECCOMP_FILTER_FLAG_LOG'],
    syscalls: [
      {
        names: ['mkdir'],
        action: 'SCMP_ACT_ERRNO',
        errnoRet: 5,
        args: [{ index: 1, value: 7, op: 'SCMP_CMP_EQ' }],
      },
    ],
  };
  assert.deepEqual(read(profile), profile);
});

for (const [what, value] of [
  ['a list', []],
  ['rules that are no list', { defaultAction: 'SCMP_ACT_ALLOW', syscalls: {} }],
  ['a rule that is no object', { defaultAction: 'SCMP_ACT_ALLOW', syscalls: ['read'] }],
  [
    'names that are none',
    { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: 1, action: 'SCMP_ACT_LOG' }] },
  ],
  [
    'capabilities that are no list',
    { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ includes: { caps: 'x' } }] },
  ],
  ['no default action', { syscalls: [] }],
  [
    'a rounded value',
    {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [
        {
          names: ['mkdir'],
          action: 'SCMP_ACT_LOG',
          args: [{ index: 0, value: 2 ** 63, op: 'SCMP_CMP_EQ' }],
        },
      ],
    },
  ],
] as const) {
  test(`${what} is refused`, () => {
    assert.throws(() => read(value), { code: /^ERR_OCI_SPEC_(INVALID|UNSUPPORTED)$/ });
  });
}
