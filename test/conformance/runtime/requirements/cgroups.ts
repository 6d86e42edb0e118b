import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Resources } from '@ocijs/bundle/spec';
import { inSection, type Requirement, Unsupported } from '../requirement.ts';
import { failed, type Subject, succeeded, type TestSpec } from '../subject.ts';

const base = '/sys/fs/cgroup';
const unified = existsSync(`${base}/cgroup.controllers`);

/** Where the files of a group of this name are. */
function groupOf(controller: string, name: string): string {
  const directory = unified ? base : `${base}/${controller}`;
  if (!existsSync(`${directory}/cgroup.procs`))
    throw new Unsupported(`no ${controller} controller is mounted`);
  return join(directory, name);
}

function limited(resources: Resources): { readonly name: string; readonly change: (spec: TestSpec) => void } {
  const name = `/conformance-${randomUUID()}`;
  return {
    name,
    change: (spec) => {
      spec.linux.cgroupsPath = name;
      spec.linux.resources = { ...spec.linux.resources, ...resources };
    },
  };
}

/** A limit, and the files that have it afterwards, of v1 and v2. */
interface Limit {
  readonly id: string;
  readonly controller: string;
  readonly resources: Resources;
  readonly v1: Readonly<Record<string, string>>;
  readonly v2: Readonly<Record<string, string>>;
}

const mebibyte = 1024 * 1024;

const limits: readonly Limit[] = [
  {
    ...{ id: 'memory', controller: 'memory' },
    resources: { memory: { limit: 64 * mebibyte, reservation: 32 * mebibyte } },
    v1: { 'memory.limit_in_bytes': '67108864', 'memory.soft_limit_in_bytes': '33554432' },
    v2: { 'memory.max': '67108864', 'memory.low': '33554432' },
  },
  {
    ...{ id: 'memory-swappiness', controller: 'memory' },
    resources: { memory: { swappiness: 11 } },
    v1: { 'memory.swappiness': '11' },
    v2: {},
  },
  {
    ...{ id: 'cpu', controller: 'cpu' },
    resources: { cpu: { shares: 512, quota: 20000, period: 50000 } },
    v1: { 'cpu.shares': '512', 'cpu.cfs_quota_us': '20000', 'cpu.cfs_period_us': '50000' },
    v2: { 'cpu.max': '20000 50000' },
  },
  {
    ...{ id: 'cpuset', controller: 'cpuset' },
    resources: { cpu: { cpus: '0', mems: '0' } },
    v1: { 'cpuset.cpus': '0', 'cpuset.mems': '0' },
    v2: { 'cpuset.cpus': '0', 'cpuset.mems': '0' },
  },
  {
    ...{ id: 'pids', controller: 'pids' },
    resources: { pids: { limit: 17 } },
    v1: { 'pids.max': '17' },
    v2: { 'pids.max': '17' },
  },
  {
    ...{ id: 'pids-unlimited', controller: 'pids' },
    resources: { pids: { limit: -1 } },
    v1: { 'pids.max': 'max' },
    v2: { 'pids.max': 'max' },
  },
];

async function assertFiles(group: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [file, value] of Object.entries(files))
    assert.equal((await readFile(`${group}/${file}`, 'utf8')).trim(), value, file);
}

async function devicesDenied(subject: Subject, rules: readonly object[]): Promise<string> {
  const { change } = limited({});
  return await subject.output({
    script: 'busybox mknod /tmp/loop b 7 0 2>&1; busybox head -c 1 /tmp/loop 2>&1 >/dev/null; echo done',
    change: (spec) => {
      change(spec);
      spec.linux.resources = { devices: rules as NonNullable<Resources['devices']> };
      for (const set of ['bounding', 'permitted', 'effective'] as const)
        spec.process.capabilities = {
          ...spec.process.capabilities,
          [set]: [...(spec.process.capabilities?.[set] ?? []), 'CAP_MKNOD'],
        };
    },
  });
}

export const cgroups: readonly Requirement[] = inSection('config-linux.md: Control groups', [
  {
    id: 'cgroups-path-absolute',
    title: 'an absolute cgroupsPath is below the mount points of the hierarchies',
    async check(subject) {
      const { name, change } = limited({});
      const container = await subject.container({ change });
      succeeded(await container.create());
      const { pid } = await container.state();
      const procs = await readFile(`${groupOf('pids', name)}/cgroup.procs`, 'utf8');
      assert.ok(procs.split('\n').includes(String(pid)), procs);
    },
  },
  {
    id: 'cgroups-path-same',
    title: 'the same relative cgroupsPath leads to the same place',
    async check(subject) {
      const places: string[] = [];
      const name = `conformance-${randomUUID()}`;
      for (let round = 0; round < 2; round++) {
        const container = await subject.container({
          change: (spec) => {
            spec.linux.cgroupsPath = name;
          },
        });
        succeeded(await container.create());
        places.push(await readFile(`/proc/${(await container.state())['pid']}/cgroup`, 'utf8'));
        succeeded(await container.call(['delete', '--force']));
      }
      assert.equal(places[0], places[1]);
    },
  },
  ...limits.map(({ id, controller, resources, v1, v2 }) => ({
    id: `cgroups-${id}`,
    title: `limits are set: ${id.replace('-', ', ')}`,
    async check(subject: Subject) {
      const { name, change } = limited(resources);
      const group = groupOf(controller, name);
      const container = await subject.container({ change });
      succeeded(await container.create());
      await assertFiles(group, unified ? v2 : v1);
    },
  })),
  {
    id: 'cgroups-kernel-tcp',
    title: 'the memory of sockets is limited where the kernel still can (v1)',
    async check(subject) {
      const { name, change } = limited({ memory: { kernelTCP: 50 * mebibyte } });
      const group = groupOf('memory', name);
      if (!existsSync(`${base}/memory/memory.kmem.tcp.limit_in_bytes`))
        throw new Unsupported('this kernel has no such limit');
      const container = await subject.container({ change });
      succeeded(await container.create());
      await assertFiles(group, { 'memory.kmem.tcp.limit_in_bytes': String(50 * mebibyte) });
    },
  },
  {
    id: 'cgroups-unified-v1',
    title: 'resources.unified on v1 is an error',
    async check(subject) {
      if (unified) throw new Unsupported('this host has cgroup v2');
      await subject.refuses({ change: limited({ unified: { 'memory.high': 'max' } }).change });
    },
  },
  {
    id: 'cgroups-limit-refused',
    title: 'a limit that the kernel refuses is an error',
    check: async (subject) =>
      void (await subject.refuses({ change: limited({ cpu: { cpus: '9000' } }).change })),
  },
  {
    id: 'cgroups-pids-effect',
    title: 'more processes than allowed cannot be made',
    async check(subject) {
      groupOf('pids', '');
      const { change } = limited({ pids: { limit: 5 } });
      const script = 'for i in 1 2 3 4 5 6 7 8 9; do sleep 100 & done 2>/dev/null; echo $i';
      const container = await subject.container({ script, change });
      const { stdout, stderr } = await container.run();
      assert.match(stdout + stderr, /fork|^$/);
      assert.notEqual(stdout, '9\n');
    },
  },
  {
    id: 'cgroups-devices-denied',
    title: 'devices that are denied cannot be made or opened',
    async check(subject) {
      assert.match(
        await devicesDenied(subject, [{ allow: false, access: 'rwm' }]),
        /not permitted|can't open/i,
      );
    },
  },
  {
    id: 'cgroups-devices-order',
    title: 'rules for devices are applied in the listed order',
    async check(subject) {
      const printed = await devicesDenied(subject, [
        { allow: false, access: 'rwm' },
        { allow: true, type: 'b', major: 7, minor: 0, access: 'rwm' },
      ]);
      assert.doesNotMatch(printed, /not permitted/i);
    },
  },
  {
    id: 'cgroups-frozen',
    level: 'runc',
    title: 'a group that is frozen already is an error',
    async check(subject) {
      const { mkdir, rmdir, writeFile } = await import('node:fs/promises');
      const name = `/conformance-${randomUUID()}`;
      const group = groupOf('freezer', name);
      const [file, frozen, thawed] = unified
        ? ['cgroup.freeze', '1', '0']
        : ['freezer.state', 'FROZEN', 'THAWED'];
      await mkdir(group);
      try {
        await writeFile(`${group}/${file}`, frozen as string);
        const container = await subject.container({
          change: (spec) => {
            spec.linux.cgroupsPath = name;
          },
        });
        failed(await container.create(), /frozen/);
      } finally {
        if (existsSync(group)) await writeFile(`${group}/${file}`, thawed as string);
        await rmdir(group).catch(() => undefined);
      }
    },
  },
  {
    id: 'cgroups-busy',
    level: 'runc',
    title: 'a group that has processes is an error',
    async check(subject) {
      const { change } = limited({});
      await (await subject.container({ change })).begin();
      await subject.refuses({ change });
    },
  },
]);
