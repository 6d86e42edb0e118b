import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseMountInfo } from './mount-info.ts';

test('each line is a mount; optional fields and octal digits are read', () => {
  const text = [
    '22 1 0:5 / /proc rw,nosuid shared:3 master:1 - proc proc rw',
    '40 22 0:31 /a\\040b /mnt/x\\011y\\134z ro - ext4 /dev/sda1 rw,errors=remount-ro',
    '41 22 0:32 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct',
    'nonsense',
    '',
  ].join('\n');
  assert.deepEqual(parseMountInfo(text), [
    { mountPoint: '/proc', root: '/', type: 'proc', superOptions: ['rw'] },
    { mountPoint: '/mnt/x\ty\\z', root: '/a b', type: 'ext4', superOptions: ['rw', 'errors=remount-ro'] },
    { mountPoint: '/sys/fs/cgroup/cpu', root: '/', type: 'cgroup', superOptions: ['rw', 'cpu', 'cpuacct'] },
  ]);
});

test('the mounts of this process', { skip: process.platform === 'linux' ? false : 'needs Linux' }, () => {
  const mounts = parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8'));
  assert.ok(mounts.some(({ mountPoint, type }) => mountPoint === '/proc' && type === 'proc'));
});
