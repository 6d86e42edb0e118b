import { campaign } from './campaign.ts';

/** node --conditions=source test/fuzz/run.ts [INPUTS] [SEED] */
const [inputs = '1000000', seed = String(Date.now() % 1_000_000_000)] = process.argv.slice(2);

process.stdout.write(`seed ${seed}\n`);
const start = performance.now();
const { slowest } = await campaign({ inputs: Number(inputs), seed: Number(seed) });
const seconds = Math.round((performance.now() - start) / 1000);
const memory = Math.round(process.resourceUsage().maxRSS / 1024);
process.stdout.write(
  `${inputs} inputs in ${seconds} s, the slowest ${slowest.toFixed(0)} ms; ${memory} MiB at most\n`,
);
