import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Resources } from '@ocijs/bundle/spec';
import { type CreateCgroupOptions, createCgroup, planCgroup } from './create.ts';
import { destroyCgroup } from './destroy.ts';
import { findHierarchies, isUnified } from './hierarchies.ts';
import { cgroupPids, signalCgroup } from './members.ts';
import { type CgroupRecord, entriesOf } from './record.ts';

const isRoot = process.geteuid?.() === 0;
const skip = isRoot ? false : 'making cgroups needs root';

function options(name: string, resources?: Resources): CreateCgroupOptions {
  return { id: `test-${process.pid}-${name}`, optional: false, resources };
}

async function make(name: string, resources?: Resources): Promise<CgroupRecord> {
  return await createCgroup(planCgroup(options(name, resources)), options(name, resources));
}

function directoryOf(record: CgroupRecord, controller: string): string {
  const isV2 = isUnified(findHierarchies());
  const found = record.directories.find(({ controllers }) => isV2 || controllers.includes(controller));
  return (found as CgroupRecord['directories'][number]).path;
}

async function spawnInto(record: CgroupRecord, script = 'sleep 100'): Promise<ChildProcess> {
  const child = spawn('sh', ['-c', script], { stdio: 'ignore' });
  await once(child, 'spawn');
  for (const { procs } of entriesOf(record)) writeFileSync(procs, String(child.pid));
  return child;
}

function assertGone(record: CgroupRecord): void {
  for (const { path } of record.directories) assert.equal(existsSync(path), false, path);
}

test('limits are in force before any process is there, and everything goes', { skip }, async () => {
  const record = await make('limits', {
    memory: { limit: 64 * 1024 * 1024 },
    cpu: { shares: 512, quota: 20_000, period: 100_000 },
    pids: { limit: 17 },
    devices: [{ allow: false, access: 'rwm' }],
  });
  try {
    assert.equal(readFileSync(`${directoryOf(record, 'pids')}/pids.max`, 'utf8').trim(), '17');
    if (!isUnified(findHierarchies())) {
      assert.equal(
        readFileSync(`${directoryOf(record, 'memory')}/memory.limit_in_bytes`, 'utf8').trim(),
        '67108864',
      );
      assert.equal(readFileSync(`${directoryOf(record, 'cpu')}/cpu.cfs_quota_us`, 'utf8').trim(), '20000');
      const devices = readFileSync(`${directoryOf(record, 'devices')}/devices.list`, 'utf8');
      assert.match(devices, /^c 1:3 rwm$/m);
      assert.doesNotMatch(devices, /^a /m);
    }
  } finally {
    await destroyCgroup(record);
  }
  assertGone(record);
});

test('a process can be put into every hierarchy and is ended by destroying', { skip }, async () => {
  const record = await make('member');
  const child = await spawnInto(record);
  const ended = once(child, 'exit');
  assert.ok(cgroupPids(record).includes(child.pid as number));
  await destroyCgroup(record);
  assert.deepEqual(await ended, [null, 'SIGKILL']);
  assertGone(record);
});

test('a signal reaches all processes, in groups below too', { skip }, async () => {
  const record = await make('all');
  try {
    const children = [await spawnInto(record), await spawnInto(record)];
    const below = record.directories.map((directory) => {
      mkdirSync(`${directory.path}/below`);
      return { ...directory, path: `${directory.path}/below` };
    });
    for (const { path } of below) {
      if (existsSync(`${path}/cpuset.cpus`)) {
        writeFileSync(`${path}/cpuset.cpus`, readFileSync(`${path}/../cpuset.cpus`));
        writeFileSync(`${path}/cpuset.mems`, readFileSync(`${path}/../cpuset.mems`));
      }
    }
    children.push(await spawnInto({ ...record, directories: below }));
    const ended = children.map((child) => once(child, 'exit'));
    signalCgroup(record, 15);
    for (const end of ended) assert.deepEqual(await end, [null, 'SIGTERM']);
  } finally {
    await destroyCgroup(record);
  }
  assertGone(record);
});

test('a group with processes is refused and left alone', { skip }, async () => {
  const record = await make('busy');
  const child = await spawnInto(record);
  const ended = once(child, 'exit');
  try {
    await assert.rejects(make('busy'), { code: 'ERR_OCI_CGROUP_BUSY' });
    assert.ok(cgroupPids(record).includes(child.pid as number));
  } finally {
    await destroyCgroup(record);
  }
  await ended;
  assertGone(record);
});

test('a group that is frozen is refused: nothing could start in it', { skip }, async () => {
  const name = `/oci-frozen-${process.pid}`;
  const freezer = findHierarchies().find(({ controllers }) => controllers.includes('freezer'));
  const path = `${(freezer ?? findHierarchies()[0])?.mountPoint}${name}`;
  mkdirSync(path);
  const write = (text: string): void =>
    writeFileSync(freezer ? `${path}/freezer.state` : `${path}/cgroup.freeze`, text);
  try {
    write(freezer ? 'FROZEN' : '1');
    const settings = { ...options('frozen'), cgroupsPath: name };
    await assert.rejects(createCgroup(planCgroup(settings), settings), {
      code: 'ERR_OCI_CGROUP_BUSY',
      message: /unexpectedly frozen/,
    });
  } finally {
    write(freezer ? 'THAWED' : '0');
    rmdirSync(path);
  }
});

test('a group that was there before stays there', { skip }, async () => {
  const [hierarchy] = findHierarchies();
  const name = `/oci-test-${process.pid}`;
  const path = `${hierarchy?.mountPoint}${name}`;
  mkdirSync(path);
  try {
    const settings = { ...options('there'), cgroupsPath: name };
    const record = await createCgroup(planCgroup(settings), settings);
    await destroyCgroup(record);
    assert.equal(existsSync(path), true);
    assert.equal(
      record.directories.slice(1).some((directory) => existsSync(directory.path)),
      false,
    );
  } finally {
    rmdirSync(path);
  }
});

test('a limit that the kernel refuses leaves nothing behind', { skip }, async () => {
  await assert.rejects(make('refused', { cpu: { cpus: '9000-9001' } }), { code: 'ERR_OCI_CGROUP_DENIED' });
  for (const { mountPoint } of findHierarchies()) {
    assert.equal(existsSync(`${mountPoint}/oci/test-${process.pid}-refused`), false);
  }
});

test('the directories are known before they are made', { skip }, async () => {
  const plan = planCgroup(options('planned'));
  for (const { path } of plan.record.directories) assert.equal(existsSync(path), false);
  const record = await createCgroup(plan, options('planned'));
  assert.deepEqual(record, plan.record);
  await destroyCgroup(plan.record);
  assertGone(record);
});

test('an ordinary user gets no groups, and an error for limits', {
  skip: isRoot && 'only for an ordinary user',
}, async () => {
  const free = { ...options('user'), optional: true };
  const record = await createCgroup(planCgroup(free), free);
  await destroyCgroup(record);
  const limited = { ...options('user', { pids: { limit: 5 } }), optional: true };
  await assert.rejects(
    async () => createCgroup(planCgroup(limited), limited),
    (error: { code: string }) => ['ERR_OCI_CGROUP_DENIED', 'ERR_OCI_CGROUP_MISSING'].includes(error.code),
  );
});
