import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeviceRule } from '@ocijs/bundle/spec';
import { deviceWrites } from './devices.ts';

function lines(rules: readonly DeviceRule[]): string[] {
  return deviceWrites(rules).map(({ file, value }) => `${file} ${value}`);
}

const usual = [
  'devices.deny a',
  'devices.allow c *:* m',
  'devices.allow b *:* m',
  'devices.allow c 1:3 rwm',
  'devices.allow c 1:5 rwm',
  'devices.allow c 1:7 rwm',
  'devices.allow c 1:8 rwm',
  'devices.allow c 1:9 rwm',
  'devices.allow c 5:0 rwm',
  'devices.allow c 5:2 rwm',
  'devices.allow c 136:* rwm',
];

test('nothing but the usual devices is allowed, also without any rule', () => {
  assert.deepEqual(lines([{ allow: false, access: 'rwm' }]), usual);
  assert.deepEqual(lines([]), usual);
});

test('a rule that allows more is kept', () => {
  const rules = [
    { allow: false, access: 'rwm' },
    { allow: true, type: 'b', major: 8, minor: -1, access: 'r' },
  ] as const;
  assert.deepEqual(lines(rules), [usual[0], 'devices.allow b 8:* r', ...usual.slice(1)]);
});

test('everything can be allowed, with exceptions', () => {
  assert.deepEqual(lines([{ allow: true, type: 'a' }]), ['devices.allow a']);
  assert.deepEqual(
    lines([
      { allow: true, access: 'rwm' },
      { allow: false, type: 'c', major: 1, minor: 1, access: 'wr' },
    ]),
    ['devices.allow a', 'devices.deny c 1:1 rw'],
  );
});

test('an access that only runc knows takes everything away, and gives nothing', () => {
  const rule = { type: 'c', major: 1, minor: 11 } as const;
  assert.deepEqual(lines([{ ...rule, allow: false, access: 'rwa' }]), usual);
  assert.deepEqual(lines([{ ...rule, allow: true, access: 'a' }]), usual);
  assert.deepEqual(
    lines([{ ...rule, allow: true, access: 'ra' }]),
    lines([{ ...rule, allow: true, access: 'r' }]),
  );
  const all = { allow: true, access: 'rwm' };
  assert.deepEqual(
    lines([all, { ...rule, allow: false, access: 'ra' }]),
    lines([all, { ...rule, allow: false, access: 'rwm' }]),
  );
});

test('the last rule for a device wins, access by access', () => {
  const allowed = { allow: true, type: 'c', major: 10, minor: 229 } as const;
  const rules = [
    { ...allowed, access: 'rw' },
    { ...allowed, allow: false, access: 'w' },
  ];
  assert.ok(lines(rules).includes('devices.allow c 10:229 r'));
  assert.ok(!lines([...rules, { ...allowed, allow: false }]).some((line) => line.includes('10:229')));
});

test('a later rule for all devices forgets what was before', () => {
  assert.deepEqual(lines([{ allow: true, type: 'b', major: 1, minor: 2 }, { allow: false }]), usual);
});

test('what v1 cannot express is refused, not widened', () => {
  const refused: DeviceRule[][] = [
    [{ allow: true, type: 'a', access: 'r' }],
    [{ allow: true, type: 'a', major: 3 }],
    [
      { allow: true, type: 'c', access: 'rw' },
      { allow: false, type: 'c', major: 1, minor: 1, access: 'r' },
    ],
  ];
  for (const rules of refused) {
    assert.throws(() => deviceWrites(rules), { code: 'ERR_OCI_SPEC_UNSUPPORTED' });
  }
});
