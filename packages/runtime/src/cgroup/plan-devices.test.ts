import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deviceProgram } from './device-program.ts';
import { deviceWrites } from './devices.ts';
import type { Hierarchy } from './hierarchies.ts';
import { planDevices } from './plan-devices.ts';
import { attachmentOf } from './record.ts';

const v2: Hierarchy = { version: 'v2', mountPoint: '/sys/fs/cgroup', controllers: [] };
const memory: Hierarchy = { version: 'v1', mountPoint: '/sys/fs/cgroup/memory', controllers: ['memory'] };
const devices: Hierarchy = { version: 'v1', mountPoint: '/sys/fs/cgroup/devices', controllers: ['devices'] };
const rules = [{ allow: false }, { allow: true, type: 'c', major: 10 }] as const;

test('a v1 devices hierarchy enforces the rules where there is one', () => {
  assert.deepEqual(planDevices(rules, { hierarchies: [memory, devices, v2], enforced: true }), {
    writes: deviceWrites(rules),
    devicesUnrestricted: false,
  });
});

test('a v2 group does it elsewhere, alone or beside other v1 hierarchies', () => {
  for (const hierarchies of [[v2], [memory, v2]]) {
    assert.deepEqual(planDevices(rules, { hierarchies, enforced: true }), {
      writes: [],
      deviceProgram: deviceProgram(rules),
      devicesUnrestricted: false,
    });
  }
});

test('without either nothing does, which is said', () => {
  assert.deepEqual(planDevices(rules, { hierarchies: [memory], enforced: true }), {
    writes: [],
    devicesUnrestricted: true,
  });
});

test('in a user namespace nothing needs to', () => {
  assert.deepEqual(planDevices(rules, { hierarchies: [v2], enforced: false }), {
    writes: [],
    devicesUnrestricted: false,
  });
});

test('a program is attached to the v2 group of the container, never left out', () => {
  const program = deviceProgram(rules);
  const directories = [memory, v2].map(({ mountPoint, ...hierarchy }) => ({
    ...hierarchy,
    path: `${mountPoint}/oci/x`,
    created: true,
  }));
  const cgroup = '/sys/fs/cgroup/oci/x';
  assert.deepEqual(attachmentOf({ path: '/oci/x', directories }, program), { cgroup, program });
  assert.equal(attachmentOf({ path: '/oci/x', directories }, undefined), undefined);
  assert.throws(() => attachmentOf({ path: '/oci/x', directories: [] }, program), {
    code: 'ERR_OCI_CGROUP_MISSING',
  });
});
