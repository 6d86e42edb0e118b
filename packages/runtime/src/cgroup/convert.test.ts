import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { blockIoWeightToIoWeight, cpuSharesToWeight, swapLimit } from './convert.ts';

interface Row {
  readonly kind: 'cpu' | 'memswap' | 'blkio';
  readonly shares: number;
  readonly weight: number;
  readonly io: number;
  readonly descr: string;
  readonly memory: number;
  readonly memswap: number;
  readonly expected: number;
  readonly expErr?: boolean;
}

const table = JSON.parse(
  readFileSync(new URL('./testdata/cgroup-conversions.json', import.meta.url), 'utf8'),
) as { cases: Row[] };

for (const row of table.cases.filter(({ kind }) => kind === 'cpu')) {
  test(`${row.shares} shares are a weight of ${row.weight}`, () => {
    assert.equal(cpuSharesToWeight(row.shares), row.weight);
  });
}

for (const { weight, io } of table.cases.filter(({ kind }) => kind === 'blkio')) {
  test(`a blkio weight of ${weight} is an io weight of ${io}`, () => {
    assert.equal(blockIoWeightToIoWeight(weight), io);
  });
}

test('the least blkio weight is the least io weight, and none stays none', () => {
  assert.equal(blockIoWeightToIoWeight(10), 1);
  assert.equal(blockIoWeightToIoWeight(0), 0);
});

test('weights grow with shares, from 1 to 10000', () => {
  let last = 0;
  for (let shares = 1; shares <= 262_144; shares *= 2) {
    const weight = cpuSharesToWeight(shares);
    assert.ok(weight >= last && weight >= 1 && weight <= 10_000, `${shares}: ${weight}`);
    last = weight;
  }
});

for (const { descr, memory, memswap, expErr, expected } of table.cases.filter(
  ({ kind }) => kind === 'memswap',
)) {
  test(`swap limit: ${descr}`, () => {
    const convert = (): number => swapLimit({ memory, memoryAndSwap: memswap });
    if (expErr) assert.throws(convert, { code: 'ERR_OCI_CGROUP_INVALID' });
    else assert.equal(convert(), expected);
  });
}

test('without a memory limit swap cannot be limited; with unlimited memory it is unlimited', () => {
  assert.throws(() => swapLimit({ memory: 0, memoryAndSwap: 5 }), { code: 'ERR_OCI_CGROUP_INVALID' });
  assert.throws(() => swapLimit({ memory: -1, memoryAndSwap: 5 }), { code: 'ERR_OCI_CGROUP_INVALID' });
  assert.equal(swapLimit({ memory: -1, memoryAndSwap: 0 }), -1);
  assert.equal(swapLimit({ memory: 7, memoryAndSwap: 7 }), 0);
});
