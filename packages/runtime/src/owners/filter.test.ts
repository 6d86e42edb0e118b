import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileSeccomp } from '../seccomp/compile.ts';
import { defaultSeccompProfile } from '../seccomp/default-profile.ts';
import { loadProgram, type SyscallData } from '../seccomp/testing/bpf.ts';
import { ownerCalls } from './calls.ts';
import { withOwnerCalls } from './filter.ts';

const calls = ownerCalls();
const skip = calls === undefined && `owners are not emulated on ${process.arch}`;
const [allow, log, notify] = [0x7fff_0000, 0x7ffc_0000, 0x7fc0_0000];
const flags = 8 | 32;

function verdict(program: Uint8Array, data: Partial<SyscallData>): number {
  const { audit: architecture = 0 } = calls ?? {};
  return loadProgram(program).run({ number: 0, architecture, args: [0n, 0n, 0n, 0n, 0n, 0n], ...data }).value;
}

test('without a filter, calls about owners are asked for and all others happen', { skip }, () => {
  const filter = withOwnerCalls(undefined);
  assert.equal(filter.flags, flags);
  for (let number = 0; number < 600; number += 1) {
    assert.equal(verdict(filter.program, { number }), calls?.numbers.includes(number) ? notify : allow);
    assert.equal(
      verdict(filter.program, { number, architecture: 0x4000_0003 }),
      allow,
      'another architecture',
    );
  }
});

test('a filter is the same with it, but for calls about owners that it lets happen', { skip }, () => {
  const profile = defaultSeccompProfile(['CAP_CHOWN']);
  const own = compileSeccomp({
    ...profile,
    syscalls: [
      // Where a call is in several rules the first one counts, and the profile allows these.
      ...(profile.syscalls ?? []).map((rule) => ({
        ...rule,
        names: rule.names.filter((name) => !['fchownat', 'fchown', 'statx'].includes(name)),
      })),
      { names: ['fchownat'], action: 'SCMP_ACT_ALLOW', args: [{ index: 2, value: 7, op: 'SCMP_CMP_NE' }] },
      { names: ['fchownat'], action: 'SCMP_ACT_ERRNO', args: [{ index: 2, value: 7, op: 'SCMP_CMP_EQ' }] },
      { names: ['fchown'], action: 'SCMP_ACT_KILL_PROCESS' },
      { names: ['statx'], action: 'SCMP_ACT_LOG' },
    ],
  });
  const merged = withOwnerCalls(own);
  assert.equal(merged.flags, own.flags | flags);
  const [errno, kill] = [0x5_0000 | 1, 0x8000_0000];
  const ofName = (number: number, third = 0n): number =>
    verdict(own.program, { number, args: [0n, 0n, third, 0n, 0n, 0n] });
  const seen = new Set((calls?.numbers ?? []).flatMap((number) => [ofName(number), ofName(number, 7n)]));
  assert.deepEqual(seen, new Set([allow, log, errno, kill]), 'calls about owners have each verdict');
  const word = fc.bigInt({ min: 0n, max: 9n });
  const architecture = fc.constantFrom(calls?.audit ?? 0, 0x4000_0003, 0x1234);
  fc.assert(
    fc.property(
      fc.record({
        number: fc.oneof(fc.nat(600), fc.constantFrom(...(calls?.numbers ?? [0])), fc.nat(0x7fff_ffff)),
        architecture,
        args: fc.array(word, { minLength: 6, maxLength: 6 }),
      }),
      (data) => {
        const before = verdict(own.program, data);
        const isAsked =
          data.architecture === calls?.audit &&
          calls.numbers.includes(data.number) &&
          (before === allow || before === log);
        assert.equal(verdict(merged.program, data), isAsked ? notify : before);
      },
    ),
    { numRuns: 3000 },
  );
});

test('a filter with an agent of its own, or one that is too long, is refused', { skip }, () => {
  const notifying = compileSeccomp({
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_NOTIFY' }],
    listenerPath: '/x',
  });
  assert.throws(() => withOwnerCalls(notifying), { code: 'ERR_OCI_SPEC_CONFLICT' });
  const long = { program: Buffer.alloc(2048 * 8), flags: 0 };
  assert.throws(() => withOwnerCalls(long), { code: 'ERR_OCI_SPEC_UNSUPPORTED' });
});
