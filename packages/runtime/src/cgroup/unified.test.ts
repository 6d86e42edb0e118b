import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { Resources, RuntimeSpec } from '@ocijs/bundle/spec';
import { launch } from '../index.ts';
import { busyboxBundle, cannotRunAsRoot, type TestSpec } from '../testing/busybox-bundle.ts';
import { findHierarchies, isUnified } from './hierarchies.ts';

const skip =
  cannotRunAsRoot() ||
  (isUnified(findHierarchies()) ? false : 'needs a host with cgroup v2 alone: npm run test:vm');

interface Outcome {
  readonly out: string;
  readonly exitCode: number;
}

async function run(script: string, change: (spec: TestSpec) => void): Promise<Outcome> {
  using bundle = busyboxBundle(script);
  bundle.change(change);
  await using container = await launch(bundle.directory, { root: bundle.root, stdio: 'pipe' });
  const out = Promise.all([container.stdout, container.stderr].map((stream) => (stream ? text(stream) : '')));
  const { exitCode } = await container.wait();
  return { out: (await out).join(''), exitCode };
}

/** The device number of some disk. */
function someDisk(): string {
  const [name] = readdirSync('/sys/block').filter((entry) => /^(nvme|sd|vd)/.test(entry));
  return readFileSync(`/sys/block/${name}/dev`, 'utf8').trim();
}

/** What is in files of the container's group, seen from inside: it is the root of its cgroup namespace. */
async function valuesOf(resources: Resources, files: readonly string[]): Promise<string[]> {
  const { out } = await run(files.map((file) => `cat /sys/fs/cgroup/${file}`).join('; '), (spec) => {
    spec.linux.resources = resources;
    spec.linux.namespaces = [
      ...(spec.linux.namespaces ?? []).filter(({ type }) => type !== 'cgroup'),
      { type: 'cgroup' },
    ];
  });
  return out.trim().split('\n');
}

test('limits of memory, processors, processes and block devices are in the files of v2', {
  skip,
}, async () => {
  const disk = someDisk();
  const [major = 0, minor = 0] = disk.split(':').map(Number);
  const resources: Resources = {
    memory: { limit: 64 << 20, reservation: 32 << 20, swap: 96 << 20 },
    cpu: { shares: 512, quota: 50_000, period: 100_000, burst: 10_000, cpus: '0' },
    pids: { limit: 33 },
    blockIO: { weight: 500, throttleReadBpsDevice: [{ major, minor, rate: 1_048_576 }] },
    hugepageLimits: [{ pageSize: '2MB', limit: 4 << 20 }],
    unified: { 'memory.high': String(48 << 20) },
  };
  const files = [
    'memory.max',
    'memory.low',
    'memory.high',
    'cpu.weight',
    'cpu.max',
    'cpu.max.burst',
    'cpuset.cpus',
    'pids.max',
  ];
  assert.deepEqual(await valuesOf(resources, files), [
    '67108864',
    '33554432',
    '50331648',
    '59',
    '50000 100000',
    '10000',
    '0',
    '33',
  ]);
  assert.match((await valuesOf(resources, ['io.max'])).join(), new RegExp(`${disk} rbps=1048576`));
  assert.deepEqual(await valuesOf(resources, ['hugetlb.2MB.max', 'hugetlb.2MB.rsvd.max']), [
    '4194304',
    '4194304',
  ]);
  assert.deepEqual(await valuesOf({ cpu: { idle: 1 } }, ['cpu.idle']), ['1']);
});

test('a container sees itself at the root of a cgroup namespace, and nothing else without one', {
  skip,
}, async () => {
  const withNamespaces = (types: readonly string[]) => (spec: TestSpec) => {
    spec.linux.namespaces = types.map((type) => ({ type })) as NonNullable<
      RuntimeSpec['linux']
    >['namespaces'] &
      object;
  };
  const script =
    'cat /proc/self/cgroup; test -e /sys/fs/cgroup/system.slice && echo host; cat /sys/fs/cgroup/cgroup.procs | head -n 1';
  const own = await run(script, withNamespaces(['pid', 'mount', 'uts', 'ipc', 'cgroup']));
  assert.match(own.out, /^0::\/\n/);
  const shared = await run(script, withNamespaces(['pid', 'mount', 'uts', 'ipc']));
  assert.doesNotMatch(shared.out, /host/);
});

test('too much memory is the end, too many processes are an error', { skip }, async () => {
  const { exitCode } = await run(
    'head -c 200000000 /dev/zero | tail -c 150000000 >/dev/shm/x 2>/dev/null || dd if=/dev/zero of=/dev/shm/x bs=1M count=60',
    (spec) => {
      spec.linux.resources = { memory: { limit: 24 << 20, swap: 24 << 20 } };
    },
  );
  assert.equal(exitCode, 137);
  const { out } = await run('for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; wait', (spec) => {
    spec.linux.resources = { pids: { limit: 4 } };
  });
  assert.match(out, /can't fork|Resource temporarily unavailable/);
});

test('devices that are not allowed cannot be made or opened', { skip }, async () => {
  const { out } = await run(
    'mknod /dev/null2 c 1 3 && echo >/dev/null2 && echo null; mknod /dev/mem c 1 1 && dd if=/dev/mem of=/dev/null bs=1 count=1',
    (spec) => {
      spec.root = { path: 'rootfs', readonly: false };
      spec.process.capabilities = Object.fromEntries(
        ['bounding', 'effective', 'permitted'].map((set) => [set, ['CAP_MKNOD', 'CAP_SYS_RAWIO']]),
      );
      spec.linux.resources = { devices: [{ allow: false, access: 'rwm' }] };
    },
  );
  assert.match(out, /null\n/);
  assert.match(out, /Operation not permitted/);
});
