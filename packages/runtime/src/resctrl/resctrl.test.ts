import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createResctrl, planResctrl, removeResctrl } from './group.ts';
import { parseResctrlMount } from './mount.ts';
import { hasSchemata, schemataLines } from './schemata.ts';

let mountPoint: string;

before(() => {
  mountPoint = mkdtempSync(join(tmpdir(), 'oci-resctrl-'));
  mkdirSync(join(mountPoint, 'gold'));
  writeFileSync(join(mountPoint, 'gold/schemata'), '    L3:0=000ff;1=000ff\n    MB:0=100;1=100\n');
});

after(() => rmSync(mountPoint, { recursive: true, force: true }));

test('the mount is found by its type', () => {
  const line = '30 23 0:26 / /sys/fs/resctrl rw,relatime - resctrl resctrl rw';
  assert.equal(parseResctrlMount(`22 1 0:5 / /proc rw - proc proc rw\n${line}\n`), '/sys/fs/resctrl');
  assert.equal(parseResctrlMount('22 1 0:5 / /resctrl rw - tmpfs resctrl rw\n'), undefined);
});

test('schemata are compared by value, domain by domain', () => {
  const file = 'L3:0=000ff;1=000f0\nMB:0=100\n';
  assert.ok(hasSchemata(file, ['L3:0=FF', 'MB:0=100']));
  assert.ok(hasSchemata(file, ['L3:1=f0;0=ff']));
  assert.ok(!hasSchemata(file, ['L3:0=f']));
  assert.ok(!hasSchemata(file, ['L2:0=ff']));
  assert.deepEqual(
    schemataLines({ memBwSchema: 'MB:0=50', l3CacheSchema: 'L3:0=f\nL3:1=f', schemata: ['L2:0=1'] }),
    ['L2:0=1', 'L3:0=f', 'L3:1=f', 'MB:0=50'],
  );
});

test('without a class a group named after the container is made, and goes with it', () => {
  const plan = planResctrl('c1', { schemata: ['L3:0=f'] }, mountPoint);
  assert.deepEqual(plan?.tasks, [`${mountPoint}/c1/tasks`]);
  assert.ok(plan);
  createResctrl(plan);
  rmSync(`${mountPoint}/c1/schemata`);
  removeResctrl(plan.created);
  removeResctrl(plan.created);
  assert.deepEqual(readdirSync(mountPoint), ['gold']);
});

test('an existing class is joined, and stays', () => {
  const plan = planResctrl('c2', { closID: 'gold', l3CacheSchema: 'L3:0=ff' }, mountPoint);
  assert.deepEqual(plan, {
    group: `${mountPoint}/gold`,
    created: [],
    tasks: [`${mountPoint}/gold/tasks`],
    lines: [],
  });
  const root = planResctrl('c2', { closID: '/' }, mountPoint);
  assert.deepEqual(root?.tasks, [`${mountPoint}/tasks`]);
});

test('monitoring makes a group of the container below its class', () => {
  const plan = planResctrl('c3', { closID: 'gold', enableMonitoring: true }, mountPoint);
  assert.deepEqual(plan?.created, [`${mountPoint}/gold/mon_groups/c3`]);
  assert.deepEqual(plan?.tasks, [`${mountPoint}/gold/tasks`, `${mountPoint}/gold/mon_groups/c3/tasks`]);
  assert.ok(plan);
  assert.throws(() => createResctrl(plan), { code: 'ERR_OCI_CGROUP_DENIED' });
  assert.equal(existsSync(`${mountPoint}/gold/mon_groups`), false);
});

test('a class that differs, does not exist or is no name is refused', () => {
  const refused = (intelRdt: Parameters<typeof planResctrl>[1], code: string): void => {
    assert.throws(() => planResctrl('c4', intelRdt, mountPoint), { code });
  };
  refused({ closID: 'gold', schemata: ['L3:0=f'] }, 'ERR_OCI_SPEC_CONFLICT');
  refused({ closID: 'silver' }, 'ERR_OCI_SPEC_CONFLICT');
  for (const closID of ['../x', 'a/b', '..', 'info', '']) refused({ closID }, 'ERR_OCI_SPEC_CONFLICT');
  assert.equal(planResctrl('c4', undefined), undefined);
});
