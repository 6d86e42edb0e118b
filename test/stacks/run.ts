import { compareWithOneByOne } from './threads.ts';
import { compareWithUmoci } from './umoci.ts';

/** node --conditions=source test/stacks/run.ts [STACKS] [UMOCI STACKS] [SEED] */
const [stacks = '1000', umociStacks = '60', seed = String(Date.now() % 1_000_000)] = process.argv.slice(2);

print(`seed ${seed}`);
const shared = Math.ceil(Number(stacks) / 4);
const threads = await compareWithOneByOne({ runs: shared, seed: Number(seed), large: true });
const alone = await compareWithOneByOne({ runs: Number(stacks) - shared, seed: Number(seed), large: false });
print(`${stacks} stacks equal those applied one by one; ${threads.valid + alone.valid} are valid`);
await compareWithUmoci({ stacks: Number(umociStacks), seed: Number(seed) });
print(`${umociStacks} valid stacks equal umoci's`);

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
