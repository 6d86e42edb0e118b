import { mkdir, rm, writeFile } from 'node:fs/promises';
import { arch, cpus, release } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { temporaryDirectory } from '../kit/temporary.ts';
import { buildComparison } from './build.ts';
import { formatGrowth, type Growth, measureGrowth } from './growth.ts';
import {
  cycleComparison,
  execComparison,
  launchComparison,
  memoryOfContainer,
  parallelLaunchComparison,
} from './launch.ts';
import { type Comparison, measure } from './measure.ts';
import { pullToRootfsComparison } from './pull-rootfs.ts';
import { repackComparison } from './repack.ts';
import { formatChart, formatTable, type Result } from './report.ts';
import { snapshotComparison } from './snapshots.ts';
import { startComparison } from './start.ts';
import { smallTransferComparison, transferComparison } from './transfer.ts';
import { unpackComparison } from './unpack.ts';
import { unpackCases } from './unpack-cases.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '7' }, only: { type: 'string' } },
});
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds takes a number of 1 or more');

await using temporary = await temporaryDirectory();
const subjects: Record<string, (directory: string) => Promise<Comparison | string>> = {
  start: startComparison,
  launch: launchComparison,
  'launch-parallel': parallelLaunchComparison,
  exec: execComparison,
  cycle: cycleComparison,
  unpack: unpackComparison,
  ...unpackCases,
  'pull-rootfs': pullToRootfsComparison,
  snapshots: snapshotComparison,
  repack: repackComparison,
  transfer: transferComparison,
  'transfer-small': smallTransferComparison,
  'build-cold': buildComparison('cold'),
  'build-warm': buildComparison('warm'),
  'build-changed': buildComparison('changed'),
};
const results: Result[] = [];
for (const [name, subject] of Object.entries(subjects)) {
  if (values.only !== undefined && values.only !== name) continue;
  const directory = `${temporary.path}/${name}`;
  await mkdir(directory);
  const comparison = await subject(directory);
  if (typeof comparison === 'string') {
    console.log(`${name}: left out: ${comparison}\n`);
    continue;
  }
  const { timings, omitted } = await measure(comparison, rounds).finally(() => comparison.close?.());
  results.push({ title: comparison.title, timings });
  console.log(`${formatTable({ title: comparison.title, timings })}\n`);
  for (const line of omitted) console.log(`  left out: ${line}`);
  await rm(directory, { recursive: true, force: true });
}

if (values.only === undefined || values.only === 'launch') {
  const directory = `${temporary.path}/memory`;
  await mkdir(directory);
  console.log(`${await memoryOfContainer(directory)}\n`);
}

let growth: readonly Growth[] = [];
if (values.only === undefined || values.only === 'growth') {
  growth = await measureGrowth(temporary.path, Math.min(rounds, 3));
  for (const each of growth) console.log(`${formatGrowth(each)}\n`);
}

const target = fileURLToPath(new URL('../../bench/results', import.meta.url));
await mkdir(target, { recursive: true });
const machine = {
  cpus: cpus().length,
  model: cpus()[0]?.model,
  kernel: release(),
  arch: arch(),
  node: process.version,
};
await writeFile(
  `${target}/latest.json`,
  `${JSON.stringify({ machine, rounds, results, growth }, null, 2)}\n`,
);
await writeFile(`${target}/latest.svg`, formatChart(results));
console.log(`written to bench/results/latest.json and latest.svg`);
