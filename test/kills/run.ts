import { temporaryDirectory } from '../kit/temporary.ts';
import { scenarios } from './scenarios.ts';

// `npm run kills`: kill -9 at random moments, and what is left each time is sound.
const wanted = Number(process.argv[2] ?? 100);
const each = Math.ceil(wanted / scenarios.length);
let total = 0;
for (const { name, prepare } of scenarios) {
  await using directory = await temporaryDirectory();
  await using scenario = await prepare(directory.path);
  let kills = 0;
  let attempts = 0;
  // A process that was faster than its killer does not count; chance has it that most are not.
  while (kills < each && attempts < each * 10) {
    attempts++;
    if (await scenario.attempt()) kills++;
  }
  if (kills < each) throw new Error(`${name}: only ${kills} of ${attempts} processes could be killed`);
  total += kills;
  process.stdout.write(`${name.padEnd(6)} ${kills} kills in ${attempts} runs, the store sound after each\n`);
}
process.stdout.write(`${total} kills\n`);
