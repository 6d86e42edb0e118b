import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Resources } from '@ocijs/bundle/spec';
import { type CgroupWrite, resourceWritesV1, resourceWritesV2 } from './writes.ts';

function lines(writes: readonly CgroupWrite[]): string[] {
  return writes.map(({ file, value }) => `${file}=${value}`);
}

const full: Resources = {
  memory: { limit: 67_108_864, reservation: 33_554_432, swap: 134_217_728, swappiness: 0 },
  cpu: { shares: 1024, quota: 50_000, period: 100_000, cpus: '0-1', mems: '0' },
  pids: { limit: 32 },
};

test('cgroup v1: memory before memory and swap, period before quota', () => {
  assert.deepEqual(lines(resourceWritesV1(full)), [
    'memory.limit_in_bytes=67108864',
    'memory.memsw.limit_in_bytes=134217728',
    'memory.soft_limit_in_bytes=33554432',
    'memory.swappiness=0',
    'cpu.shares=1024',
    'cpu.cfs_period_us=100000',
    'cpu.cfs_quota_us=50000',
    'cpuset.cpus=0-1',
    'cpuset.mems=0',
    'pids.max=32',
  ]);
});

test('cgroup v2: swap alone, a weight, quota and period in one file', () => {
  assert.deepEqual(lines(resourceWritesV2(full)), [
    'memory.swap.max=67108864',
    'memory.max=67108864',
    'memory.low=33554432',
    'cpu.weight=100',
    'cpu.max=50000 100000',
    'cpuset.cpus=0-1',
    'cpuset.mems=0',
    'pids.max=32',
  ]);
});

test('-1 is unlimited', () => {
  const unlimited = { memory: { limit: -1, swap: -1 }, cpu: { quota: -1 }, pids: { limit: -1 } };
  assert.deepEqual(lines(resourceWritesV1(unlimited)), [
    'memory.limit_in_bytes=-1',
    'memory.memsw.limit_in_bytes=-1',
    'cpu.cfs_quota_us=-1',
    'pids.max=max',
  ]);
  assert.deepEqual(lines(resourceWritesV2(unlimited)), [
    'memory.swap.max=max',
    'memory.max=max',
    'cpu.max=max 100000',
    'pids.max=max',
  ]);
});

test('zero and absent values are not set', () => {
  const zeros = {
    memory: { limit: 0, swap: 0 },
    cpu: { shares: 0, quota: 0, period: 0, cpus: '' },
    pids: { limit: 0 },
  };
  for (const resources of [zeros, {}, { memory: {}, cpu: {} }]) {
    assert.deepEqual(resourceWritesV1(resources), []);
    assert.deepEqual(resourceWritesV2(resources), []);
  }
});

test('no swap at all is written on v2, and a swap limit without memory is refused on both', () => {
  assert.deepEqual(lines(resourceWritesV2({ memory: { limit: 5000, swap: 5000 } })), [
    'memory.swap.max=0',
    'memory.max=5000',
  ]);
  for (const writes of [resourceWritesV1, resourceWritesV2]) {
    assert.throws(() => writes({ memory: { swap: 10 } }), { code: 'ERR_OCI_CGROUP_INVALID' });
    assert.throws(() => writes({ memory: { limit: -2 } }), { code: 'ERR_OCI_CGROUP_INVALID' });
  }
});

test('unified values come last on v2, and are refused on v1', () => {
  const resources = { pids: { limit: 3 }, unified: { 'pids.max': '9', 'memory.high': 'max' } };
  assert.deepEqual(resourceWritesV2(resources).slice(1), [
    { controller: 'pids', file: 'pids.max', value: '9' },
    { controller: 'memory', file: 'memory.high', value: 'max' },
  ]);
  assert.throws(() => resourceWritesV1(resources), { code: 'ERR_OCI_CGROUP_INVALID' });
});

test('large numbers are written in full', () => {
  assert.deepEqual(lines(resourceWritesV1({ memory: { limit: 2 ** 62 } })), [
    'memory.limit_in_bytes=4611686018427387904',
  ]);
});
