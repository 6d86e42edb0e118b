import { test } from 'node:test';
import { missing } from '../kit/requirements.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { bundleScenarios } from './bundles.ts';
import { scenarios } from './scenarios.ts';

/** `npm run kills` does a hundred. */
const KILLS = 1;

for (const { name, prepare, requires } of scenarios.filter((scenario) => scenario.name !== 'pull')) {
  test(`${name} that is killed at any instant leaves a sound store, and the next one moves only the rest`, {
    skip: missing(requires ?? {}),
  }, async () => {
    await using directory = await temporaryDirectory();
    await using scenario = await prepare(directory.path);
    for (let kill = 0; kill < KILLS; kill++) await scenario.attempt();
  });
}

for (const { name, prepare } of bundleScenarios) {
  test(`${name} that is killed at any instant leaves all of its result or nothing`, {
    skip: missing({ root: true }),
  }, async () => {
    await using directory = await temporaryDirectory();
    await using scenario = await prepare(directory.path);
    for (let kill = 0; kill < KILLS; kill++) await scenario.attempt();
  });
}
