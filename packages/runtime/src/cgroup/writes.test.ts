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
  };
  for (const resources of [zeros, {}, { memory: {}, cpu: {} }]) {
    assert.deepEqual(resourceWritesV1(resources), []);
    assert.deepEqual(resourceWritesV2(resources), []);
  }
});

test('no processes at all would be of no use: zero is one, as for runc; the memory of sockets is limited where it can be', () => {
  for (const writes of [resourceWritesV1, resourceWritesV2])
    assert.deepEqual(lines(writes({ pids: { limit: 0 } })), ['pids.max=1']);
  assert.deepEqual(lines(resourceWritesV1({ memory: { kernel: 4096, kernelTCP: 8192 } })), [
    'memory.kmem.tcp.limit_in_bytes=8192',
  ]);
});

test('an idle group gets no weight', () => {
  const cpu = { idle: 1, shares: 100 };
  assert.deepEqual(lines(resourceWritesV1({ cpu })), ['cpu.idle=1']);
  assert.deepEqual(lines(resourceWritesV2({ cpu })), ['cpu.idle=1']);
});

test('zero turns burst and idle off', () => {
  const cpu = { burst: 0, idle: 0 };
  assert.deepEqual(lines(resourceWritesV1({ cpu })), ['cpu.cfs_burst_us=0', 'cpu.idle=0']);
  assert.deepEqual(lines(resourceWritesV2({ cpu })), ['cpu.idle=0', 'cpu.max.burst=0']);
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

const rare: Resources = {
  cpu: { burst: 5000, idle: 1 },
  blockIO: {
    weight: 100,
    weightDevice: [{ major: 8, minor: 0, weight: 1000 }],
    throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 1024 }],
    throttleWriteBpsDevice: [{ major: 8, minor: 0, rate: 0 }],
    throttleReadIOPSDevice: [{ major: 8, minor: 16, rate: 10 }],
    throttleWriteIOPSDevice: [{ major: 8, minor: 16, rate: 20 }],
  },
  hugepageLimits: [{ pageSize: '2MB', limit: 2_097_152 }],
  rdma: { mlx5_1: { hcaHandles: 3, hcaObjects: 0 }, mlx4_0: { hcaObjects: 5 }, none: {} },
};

test('cgroup v1: block devices, huge pages, network classes, RDMA', () => {
  const network = { classID: 1_048_577, priorities: [{ name: 'eth0', priority: 500 }] };
  assert.deepEqual(lines(resourceWritesV1({ ...rare, network })), [
    'cpu.cfs_burst_us=5000',
    'cpu.idle=1',
    'blkio.weight=100',
    'blkio.weight_device=8:0 1000',
    'blkio.throttle.read_bps_device=8:0 1024',
    'blkio.throttle.write_bps_device=8:0 0',
    'blkio.throttle.read_iops_device=8:16 10',
    'blkio.throttle.write_iops_device=8:16 20',
    'hugetlb.2MB.limit_in_bytes=2097152',
    'hugetlb.2MB.rsvd.limit_in_bytes=2097152',
    'net_cls.classid=1048577',
    'net_prio.ifpriomap=eth0 500',
    'rdma.max=mlx5_1 hca_handle=3 hca_object=0',
    'rdma.max=mlx4_0 hca_object=5',
  ]);
});

test('cgroup v2: the same in its words, and BFQ before the general weight', () => {
  const writes = resourceWritesV2(rare);
  assert.deepEqual(lines(writes), [
    'cpu.idle=1',
    'cpu.max.burst=5000',
    'io.bfq.weight=100',
    'io.bfq.weight=8:0 1000',
    'io.max=8:0 rbps=1024',
    'io.max=8:0 wbps=max',
    'io.max=8:16 riops=10',
    'io.max=8:16 wiops=20',
    'hugetlb.2MB.max=2097152',
    'hugetlb.2MB.rsvd.max=2097152',
    'rdma.max=mlx5_1 hca_handle=3 hca_object=0',
    'rdma.max=mlx4_0 hca_object=5',
  ]);
  assert.deepEqual(
    writes.flatMap(({ alternatives = [] }) => alternatives),
    [
      { file: 'io.weight', value: '910' },
      { file: 'io.weight', value: '8:0 10000' },
    ],
  );
});

test('what v2 does not have is refused, not left out', () => {
  const refused: Resources[] = [
    { network: { classID: 1 } },
    { network: { priorities: [{ name: 'lo', priority: 1 }] } },
    { blockIO: { leafWeight: 10 } },
    { blockIO: { weightDevice: [{ major: 8, minor: 0, leafWeight: 10 }] } },
  ];
  for (const resources of refused) {
    assert.throws(() => resourceWritesV2(resources), { code: 'ERR_OCI_CGROUP_MISSING' });
  }
  const empty: Resources = {
    network: { classID: 0, priorities: [] },
    blockIO: { weight: 0, weightDevice: [] },
  };
  assert.deepEqual([...resourceWritesV1(empty), ...resourceWritesV2(empty)], []);
});

test('large numbers are written in full', () => {
  assert.deepEqual(lines(resourceWritesV1({ memory: { limit: 2 ** 62 } })), [
    'memory.limit_in_bytes=4611686018427387904',
  ]);
});
