import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { cgroupStats } from './stats.ts';
import type { ContainerStats } from './types.ts';

/** What is said of huge pages for a group of these files. */
function hugetlbOf(version: 'v1' | 'v2', files: Readonly<Record<string, string>>): ContainerStats['hugetlb'] {
  const path = mkdtempSync(join(tmpdir(), 'oci-stats-'));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), `${text}\n`);
    const directory = { path, version, controllers: ['hugetlb'], created: false };
    return cgroupStats({ path: '/', directories: [directory] }).hugetlb;
  } finally {
    rmSync(path, { recursive: true });
  }
}

test('of huge pages the reserved ones count, where the kernel counts them, and refusals of both', () => {
  const v2 = {
    'hugetlb.2MB.current': '2097152',
    'hugetlb.2MB.events': 'max 3',
    'hugetlb.2MB.events.local': 'max 2',
    'hugetlb.2MB.max': 'max',
  };
  assert.deepEqual(hugetlbOf('v2', v2), { '2MB': { usage: 2_097_152, failcnt: 3 } });
  const reserved = { 'hugetlb.2MB.rsvd.current': '4194304', 'hugetlb.2MB.rsvd.max': 'max' };
  assert.deepEqual(hugetlbOf('v2', { ...v2, ...reserved }), { '2MB': { usage: 4_194_304, failcnt: 3 } });
});

test('of huge pages cgroup v1 counts the most that were used, and refusals of reservations alone', () => {
  const v1 = {
    'hugetlb.1GB.usage_in_bytes': '0',
    'hugetlb.1GB.max_usage_in_bytes': '1073741824',
    'hugetlb.1GB.failcnt': '1',
  };
  assert.deepEqual(hugetlbOf('v1', v1), { '1GB': { max: 1_073_741_824, failcnt: 1 } });
  const reserved = {
    'hugetlb.1GB.rsvd.usage_in_bytes': '2147483648',
    'hugetlb.1GB.rsvd.max_usage_in_bytes': '3221225472',
    'hugetlb.1GB.rsvd.failcnt': '5',
  };
  assert.deepEqual(hugetlbOf('v1', { ...v1, ...reserved }), {
    '1GB': { usage: 2_147_483_648, max: 3_221_225_472, failcnt: 5 },
  });
});
