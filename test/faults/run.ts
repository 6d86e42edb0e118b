// node --conditions=source test/faults/run.ts [--pulls 300] [--pushes 150] [--seed 1] [--verbose]
import { parseArgs } from 'node:util';
import { runCampaign } from './campaign.ts';

const { values } = parseArgs({
  options: {
    pulls: { type: 'string', default: '300' },
    pushes: { type: 'string', default: '150' },
    seed: { type: 'string', default: '1' },
    verbose: { type: 'boolean', default: false },
  },
});
const say = (text: string): boolean => process.stdout.write(`${text}\n`);
const started = performance.now();
const { endings, faults, requests, longestMs } = await runCampaign({
  pulls: Number(values.pulls),
  pushes: Number(values.pushes),
  firstSeed: Number(values.seed),
  ...(values.verbose ? { onVoyage: say } : {}),
});
const table = (counts: ReadonlyMap<string, number>): string =>
  [...counts]
    .sort(([, left], [, right]) => right - left)
    .map(([name, number]) => `  ${String(number).padStart(5)}  ${name}`)
    .join('\n');
say(`${values.pulls} pulls and ${values.pushes} pushes (and one of each before), ${requests} requests`);
say(`endings:\n${table(endings)}`);
say(`faults:\n${table(faults)}`);
say(`longest ${(longestMs / 1000).toFixed(1)} s, all ${((performance.now() - started) / 1000).toFixed(0)} s`);
