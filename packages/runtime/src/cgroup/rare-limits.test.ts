import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Resources } from '@ocijs/bundle/spec';
import { createCgroup, planCgroup } from './create.ts';
import { destroyCgroup } from './destroy.ts';
import { findHierarchies, isUnified } from './hierarchies.ts';

const isRoot = process.geteuid?.() === 0;

function skipWithout(...controllers: readonly string[]): string | false {
  if (!isRoot) return 'making cgroups needs root';
  const hierarchies = findHierarchies();
  const isV1 = !isUnified(hierarchies) && hierarchies.length > 0;
  const missing = controllers.find((name) => !hierarchies.some((one) => one.controllers.includes(name)));
  return isV1 && missing === undefined
    ? false
    : `needs a cgroup v1 hierarchy with ${missing ?? 'controllers'}`;
}

async function valuesOf(
  resources: Resources,
  files: readonly (readonly [string, string])[],
): Promise<string[]> {
  const options = { id: `test-${process.pid}-rare`, optional: false, resources };
  const record = await createCgroup(planCgroup(options), options);
  try {
    return files.map(([controller, file]) => {
      const directory = record.directories.find(({ controllers }) => controllers.includes(controller));
      return readFileSync(`${directory?.path}/${file}`, 'utf8').trim();
    });
  } finally {
    await destroyCgroup(record);
  }
}

test('processor bursts and idle groups on v1', { skip: skipWithout('cpu') }, async () => {
  const cpu = { quota: 50_000, period: 100_000, burst: 20_000 };
  assert.deepEqual(await valuesOf({ cpu }, [['cpu', 'cpu.cfs_burst_us']]), ['20000']);
  assert.deepEqual(await valuesOf({ cpu: { idle: 1 } }, [['cpu', 'cpu.idle']]), ['1']);
});

test('block device limits on v1', { skip: skipWithout('blkio') }, async () => {
  // The device of the temporary directory's file system is one that the kernel can throttle, if it is a disk.
  const disk = readFileSync('/proc/partitions', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find(([major, , size]) => Number(major) > 0 && Number(size) > 0 && Number(major) !== 7);
  const [major, minor] = (disk ?? []).map(Number);
  if (major === undefined || minor === undefined) return;
  const throttle = [{ major, minor, rate: 1_048_576 }];
  const blockIO = { weight: 200, throttleReadBpsDevice: throttle, throttleWriteIOPSDevice: throttle };
  const files = ['blkio.throttle.read_bps_device', 'blkio.throttle.write_iops_device'];
  const values = await valuesOf(
    { blockIO },
    files.map((file) => ['blkio', file] as const),
  );
  assert.deepEqual(values, [`${major}:${minor} 1048576`, `${major}:${minor} 1048576`]);
});

/** Controllers that no v1 hierarchy of the host has, mounted for one program alone. */
const unmounted = ['hugetlb', 'net_cls', 'net_prio'];

/** True when no hierarchy of either version uses these controllers. */
function areFree(): boolean {
  const lines = readFileSync('/proc/cgroups', 'utf8').split('\n');
  const used = findHierarchies()
    .filter(({ version }) => version === 'v2')
    .map(({ mountPoint }) => readFileSync(`${mountPoint}/cgroup.subtree_control`, 'utf8'))
    .join();
  return unmounted.every(
    (name) => !used.includes(name) && lines.some((line) => line.startsWith(`${name}\t0\t`)),
  );
}

const program = `
import { readFileSync } from 'node:fs';
const { createCgroup, planCgroup } = await import('${new URL('./create.ts', import.meta.url)}');
const { destroyCgroup } = await import('${new URL('./destroy.ts', import.meta.url)}');
const resources = {
  hugepageLimits: [{ pageSize: '2MB', limit: 4194304 }],
  network: { classID: 1048577, priorities: [{ name: 'lo', priority: 7 }] },
};
const options = { id: 'test-${process.pid}-rare', optional: false, resources };
const record = await createCgroup(planCgroup(options), options);
const value = (controller, file) => {
  const { path } = record.directories.find(({ controllers }) => controllers.includes(controller));
  return readFileSync(path + '/' + file, 'utf8').trim();
};
console.log(JSON.stringify([
  value('hugetlb', 'hugetlb.2MB.limit_in_bytes'),
  value('hugetlb', 'hugetlb.2MB.rsvd.limit_in_bytes'),
  value('net_cls', 'net_cls.classid'),
  value('net_prio', 'net_prio.ifpriomap').split('\\n').includes('lo 7'),
]));
await destroyCgroup(record);
// A hierarchy whose groups are not quite gone would stay behind without a mount.
const isBusy = () => readFileSync('/proc/cgroups', 'utf8').split('\\n')
  .some((line) => /^(hugetlb|net_cls|net_prio)\\t/.test(line) && line.split('\\t')[2] !== '1');
while (isBusy()) await new Promise((resolve) => setTimeout(resolve, 20));
`;

test('huge page limits, network classes and priorities on v1', {
  skip: skipWithout('cpu') || (areFree() ? false : 'needs controllers that are not mounted yet'),
}, (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'oci-cgroups-'));
  try {
    const script = `
      mkdir h n
      # Controllers that were just given back are busy for a moment.
      for attempt in $(seq 50); do mount -t cgroup -o hugetlb hugetlb h && break; sleep 0.1; done
      mountpoint -q h || exit 77
      mount -t cgroup -o net_cls,net_prio net n &&
      "$0" --conditions=source --input-type=module -e "$1"; code=$?
      umount h; umount n; exit $code`;
    const { stdout, stderr, status } = spawnSync(
      'unshare',
      ['-m', '--propagation', 'private', 'sh', '-c', script, process.execPath, program],
      { cwd: directory, encoding: 'utf8' },
    );
    if (status === 77) return context.skip('another program uses the controllers');
    assert.equal(status, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), ['4194304', '4194304', '1048577', true]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
