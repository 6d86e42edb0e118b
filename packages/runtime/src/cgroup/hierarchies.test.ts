import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isUnified, parseCgroupMounts } from './hierarchies.ts';
import { cgroupPath } from './path.ts';

const hybrid = `23 1 0:21 / /sys rw - sysfs sysfs rw
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:7 - cgroup cgroup rw,cpu,cpuacct
40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,release_agent=/x,name=systemd
41 31 0:38 / /sys/fs/cgroup/my\\040unified rw,relatime - cgroup2 cgroup2 rw
42 31 0:29 / /mnt/second rw,relatime - cgroup cgroup rw,cpu,cpuacct
`;

test('finds each hierarchy once, with its controllers', () => {
  assert.deepEqual(parseCgroupMounts(hybrid), [
    { version: 'v1', mountPoint: '/sys/fs/cgroup/cpu,cpuacct', controllers: ['cpu', 'cpuacct'] },
    { version: 'v1', mountPoint: '/sys/fs/cgroup/systemd', controllers: ['name=systemd'] },
    { version: 'v2', mountPoint: '/sys/fs/cgroup/my unified', controllers: [] },
  ]);
});

test('a v2 mount alone is unified; no mount is not', () => {
  const alone = parseCgroupMounts('30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n');
  assert.equal(isUnified(alone), true);
  assert.equal(isUnified(parseCgroupMounts(hybrid)), false);
  assert.equal(isUnified([]), false);
});

test('a cgroup path stays below the root of the hierarchy', () => {
  assert.equal(cgroupPath({ id: 'x' }), '/oci/x');
  assert.equal(cgroupPath({ id: 'x', cgroupsPath: '' }), '/oci/x');
  assert.equal(cgroupPath({ id: 'x', cgroupsPath: 'a/b/' }), '/a/b');
  assert.equal(cgroupPath({ id: 'x', cgroupsPath: '../../../../x' }), '/x');
  assert.equal(cgroupPath({ id: 'x', cgroupsPath: '/a//../b/./c' }), '/b/c');
});

test('the root group itself is refused', () => {
  for (const cgroupsPath of ['/', '..', '/a/..', './']) {
    assert.throws(() => cgroupPath({ id: 'x', cgroupsPath }), { code: 'ERR_OCI_CGROUP_INVALID' });
  }
});
