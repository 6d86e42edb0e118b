import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type TemporaryDirectory, temporaryDirectory } from '../kit/temporary.ts';
import * as examples from './examples.ts';
import {
  around,
  exampleBlocks,
  exampleStep,
  examplesMissing,
  follow,
  hasWorked,
  referencePage,
} from './follow.ts';
import { openPlace, type Place } from './place.ts';

/** Name of a command: only its examples are run. */
const wanted = process.env['DOCS_COMMAND'];

// The examples of docs/cli.md are those of `oci COMMAND --help`.
describe(`the examples of ${referencePage}`, { skip: examplesMissing(), timeout: 600_000 }, () => {
  let temporary: TemporaryDirectory;
  let place: Place;
  before(async () => {
    temporary = await temporaryDirectory();
    place = await openPlace(temporary.path);
  });
  after(async () => {
    await place?.[Symbol.asyncDispose]();
    await temporary?.[Symbol.asyncDispose]();
  });

  for (const { command, lines } of exampleBlocks()) {
    if (wanted !== undefined && wanted !== command) continue;
    test(`oci ${command}`, async (context) => {
      await around(place, 'before', command);
      for (const line of lines) await context.test(line, (each) => tryExample(line, each));
      await around(place, 'after', command);
    });
  }

  async function tryExample(line: string, context: { skip(reason: string): void }): Promise<void> {
    const step = exampleStep(line);
    if (step.kind === 'skip') return context.skip(step.reason);
    if (step.kind === 'type') await around(place, 'before', line);
    const result = await follow(place, step);
    const { status, stdout, stderr } = result;
    assert.ok(
      hasWorked(step, result),
      `${step.text}\n\nended with ${status} and printed:\n${stdout}${stderr}`,
    );
  }

  test('everything that is prepared is for an example', () => {
    const known = new Set(exampleBlocks().flatMap(({ command, lines }) => [command, ...lines]));
    const { before: prepared, after: repaired, shells } = examples;
    const names = [prepared, repaired, shells].flatMap((each) => Object.keys(each));
    assert.deepEqual(
      names.filter((name) => !known.has(name)),
      [],
    );
  });
});
