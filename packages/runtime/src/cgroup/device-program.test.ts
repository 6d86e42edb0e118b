import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeviceRule } from '@ocijs/bundle/spec';
import fc from 'fast-check';
import { deviceExceptionLimit } from '../limits.ts';
import { devicePolicy } from './device-policy.ts';
import { deviceProgram } from './device-program.ts';
import { type DeviceRequest, runDeviceProgram } from './testing/ebpf.ts';
import { lastRule, v1Devices } from './testing/v1-devices.ts';

function isAllowed(rules: readonly DeviceRule[], text: string): boolean {
  const [type, numbers = '', access = ''] = text.split(' ');
  const [major, minor] = numbers.split(':').map(Number);
  const request = { type, major, minor, access } as DeviceRequest;
  return runDeviceProgram(deviceProgram(rules), request);
}

test('without rules, and with the one of a default configuration, the usual devices are there', () => {
  for (const rules of [[], [{ allow: false, access: 'rwm' }]]) {
    for (const usual of ['c 1:3 rw', 'c 1:5 r', 'c 5:2 rw', 'c 136:77 rw', 'c 9:9 m', 'b 8:0 m']) {
      assert.equal(isAllowed(rules, usual), true, usual);
    }
    for (const other of ['b 8:0 r', 'c 1:1 r', 'c 1:1 rm', 'b 1:3 r', 'c 5:1 w', 'c 10:229 rw']) {
      assert.equal(isAllowed(rules, other), false, other);
    }
  }
});

test('one rule must allow the whole of what is asked for', () => {
  const rules: DeviceRule[] = [
    { allow: true, type: 'c', major: 10, access: 'r' },
    { allow: true, type: 'c', major: 10, minor: 1, access: 'w' },
  ];
  assert.equal(isAllowed(rules, 'c 10:1 r'), true);
  assert.equal(isAllowed(rules, 'c 10:1 w'), true);
  assert.equal(isAllowed(rules, 'c 10:1 rw'), false);
});

test('where everything is allowed, a rule that denies writing also denies opening for both', () => {
  const rules: DeviceRule[] = [
    { allow: true, type: 'a' },
    { allow: false, type: 'b', access: 'w' },
  ];
  assert.equal(isAllowed(rules, 'b 8:0 r'), true);
  assert.equal(isAllowed(rules, 'b 8:0 rw'), false);
  assert.equal(isAllowed(rules, 'c 8:0 rw'), true);
});

test('large numbers are compared as they are', () => {
  const rules: DeviceRule[] = [{ allow: true, type: 'c', major: 0xfffffffe, minor: 0x80000000 }];
  assert.equal(isAllowed(rules, 'c 4294967294:2147483648 rw'), true);
  assert.equal(isAllowed(rules, 'c 4294967294:0 rw'), false);
});

test('rules for too many devices are refused, and those that are no exceptions to a default', () => {
  const many = Array.from({ length: deviceExceptionLimit + 1 }, (_, minor) => ({
    ...{ allow: true, type: 'c', major: 7 },
    minor,
  })) as DeviceRule[];
  assert.throws(() => deviceProgram(many), { code: 'ERR_OCI_SPEC_UNSUPPORTED' });
  assert.throws(() => deviceProgram([{ allow: true, type: 'a', access: 'r' }]), {
    code: 'ERR_OCI_SPEC_UNSUPPORTED',
  });
  assert.throws(() => deviceProgram([{ allow: true, type: 'c', major: 0xffffffff }]), {
    code: 'ERR_OCI_SPEC_CONFLICT',
  });
});

// Few numbers, so that rules meet.
const number = fc.constantFrom(1, 3, 5, 136);
const letters = fc.subarray(['r', 'w', 'm'], { minLength: 1 }).map((list) => list.join(''));
const ranges = { major: fc.oneof(number, fc.constant(-1)), minor: fc.oneof(number, fc.constant(-1)) };
const rule: fc.Arbitrary<DeviceRule> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      allow: fc.boolean(),
      type: fc.constantFrom('b', 'c'),
      ...ranges,
      access: letters,
    }),
  },
  { weight: 1, arbitrary: fc.record({ allow: fc.boolean(), type: fc.constant('a') }) },
);
const request = fc.record({
  type: fc.constantFrom('b', 'c'),
  major: number,
  minor: number,
  access: letters,
});

/** Lists of rules that are one default and exceptions: of others, what comes before the first rule that is refused. */
const ruleLists = fc.array(rule, { maxLength: 8 }).map((rules) => {
  for (let length = rules.length; length > 0; length--) {
    try {
      devicePolicy(rules.slice(0, length));
      return rules.slice(0, length);
    } catch {
      // Refused: a shorter list follows.
    }
  }
  return [];
});

test('a program decides as a cgroup v1 devices group does', () => {
  fc.assert(
    fc.property(ruleLists, fc.array(request, { minLength: 10, maxLength: 30 }), (rules, requests) => {
      const program = deviceProgram(rules);
      const isAllowedByV1 = v1Devices(rules);
      for (const one of requests) {
        assert.equal(runDeviceProgram(program, one), isAllowedByV1(one), JSON.stringify(one));
      }
    }),
    { numRuns: 500 },
  );
});

test('for one kind of access the last rule that speaks of it decides', () => {
  fc.assert(
    fc.property(ruleLists, request, fc.constantFrom('r', 'w', 'm'), (rules, one, access) => {
      const asked = { ...one, access };
      assert.equal(runDeviceProgram(deviceProgram(rules), asked), lastRule(rules, asked));
    }),
    { numRuns: 500 },
  );
});
