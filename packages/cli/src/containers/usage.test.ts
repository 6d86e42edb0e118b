import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerStats } from '@ocijs/runtime';
import { usageBetween } from './usage.ts';

const entry = { limit: 0, failcnt: 0 };
const stats = (cpu: number | bigint, memory: Partial<ContainerStats['memory']>): ContainerStats => ({
  cpu: { usage: { total: cpu, kernel: 0, user: 0 }, throttling: {} },
  cpuset: {},
  memory: { usage: entry, swap: entry, kernel: entry, kernelTCP: entry, ...memory },
  pids: { current: 3 },
  blkio: {
    ioServiceBytesRecursive: [
      { major: 8, minor: 0, op: 'Read', value: 100 },
      { major: 8, minor: 16, op: 'read', value: 20n },
      { major: 8, minor: 0, op: 'Write', value: 7 },
      { major: 8, minor: 0, op: 'Total', value: 1000 },
    ],
  },
  hugetlb: {},
  intel_rdt: {},
  network_interfaces: null,
});

test('two busy processors for half of the time are 100 percent', () => {
  const before = { time: 1000, stats: stats(2n ** 60n, {}) };
  const memory = { usage: { limit: 512, usage: 300, failcnt: 0 }, raw: { inactive_file: 40 } };
  const after = { time: 3000, stats: stats(2n ** 60n + 2_000_000_000n, memory) };
  assert.deepEqual(usageBetween(before, after, { hostMemory: 1024 }), {
    cpuPercent: 100,
    memory: 260,
    memoryLimit: 512,
    pids: 3,
    blockRead: 120,
    blockWritten: 7,
  });
});

test('without a limit the host is the limit; counters of both cgroup versions count', () => {
  const usage = { limit: 2n ** 64n - 1n, usage: 300, failcnt: 0 };
  const sample = { time: 0, stats: stats(0, { usage, raw: { inactive_file: 1, total_inactive_file: 400 } }) };
  const found = usageBetween(sample, sample, { hostMemory: 1024 });
  assert.equal(found?.memoryLimit, 1024);
  assert.equal(found.memory, 0, 'never less than nothing');
  assert.equal(found.cpuPercent, 0);
  assert.equal(usageBetween({ time: 0 }, sample), undefined);
});
