import { missing } from '../kit/requirements.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { bundleScenarios } from './bundles.ts';
import { scenarios as storeScenarios } from './scenarios.ts';

// `npm run kills`: kill -9 at random moments, and what is left each time is sound.
// KILLS, and the names of scenarios; all of them unless told otherwise.
const [kills = '100', ...names] = process.argv.slice(2);
const all = [...storeScenarios, ...bundleScenarios];
const scenarios = names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
const wanted = Number(kills);
const each = Math.ceil(wanted / scenarios.length);
let total = 0;
for (const { name, prepare, requires } of scenarios) {
  const reason = missing(requires ?? {});
  if (reason !== false) {
    process.stdout.write(`${name.padEnd(6)} left out: ${reason}\n`);
    continue;
  }
  await using directory = await temporaryDirectory();
  await using scenario = await prepare(directory.path);
  let done = 0;
  let attempts = 0;
  // A process that was faster than its killer does not count; chance has it that most are not.
  while (done < each && attempts < each * 10) {
    attempts++;
    if (await scenario.attempt()) done++;
  }
  if (done < each) throw new Error(`${name}: only ${done} of ${attempts} processes could be killed`);
  total += done;
  process.stdout.write(`${name.padEnd(6)} ${done} kills in ${attempts} runs, the store sound after each\n`);
}
process.stdout.write(`${total} kills\n`);
