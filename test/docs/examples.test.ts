import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { missing } from '../kit/requirements.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../kit/temporary.ts';
import { blocksOf } from './blocks.ts';
import * as examples from './examples.ts';
import { inNetwork, networksMissing } from './network.ts';
import { readPage } from './pages.ts';
import { openPlace, type Place } from './place.ts';
import { stepsOf } from './steps.ts';

const page = 'docs/cli.md';
const needed = ['busybox', 'bash', 'zsh', 'fish', 'script', 'jq', 'openssl', 'podman', 'runc'];
const skip = missing({ root: true, commands: needed });
/** Name of a command: only its examples are run. */
const wanted = process.env['DOCS_COMMAND'];

// docs/cli.md is made of the commands' help, so that these are the examples of `oci COMMAND --help` as well.
describe(`the examples of ${page}`, { skip, timeout: 600_000 }, () => {
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

  for (const { command, text } of exampleBlocks()) {
    if (wanted !== undefined && wanted !== command) continue;
    test(`oci ${command}`, async (context) => {
      await works(examples.before[command] ?? '');
      for (const line of text.split('\n')) await context.test(line, (each) => tryExample(line, each));
      await works(examples.after[command] ?? '');
    });
  }

  async function tryExample(line: string, context: { skip(reason: string): void }): Promise<void> {
    const [step] = stepsOf(page, line);
    assert.ok(step);
    if (step.kind === 'skip') return context.skip(step.reason);
    const own = / -p \d/.test(line)
      ? inNetwork(`OCI_NETWORK=bridge; export OCI_NETWORK; ${line}; oci rm --force web`)
      : line;
    const typed = (examples.shells[line] ?? own).replace(/\b3f2a\w*|sha256:…/, '$id');
    const lack = / -p \d/.test(line) && networksMissing();
    if (lack) return context.skip(lack);
    if (step.kind === 'run') return await works(`${examples.before[line] ?? ''}\n${typed}`);
    await works(examples.before[line] ?? '');
    const { status, stdout } = await place.type(typed, step.answers);
    assert.ok(status === 0 || status === 130, `ended with ${status} and printed:\n${stdout}`);
  }

  async function works(lines: string): Promise<void> {
    if (lines.trim() === '') return;
    const { status, stdout, stderr } = await place.run(`${examples.prelude}\n${lines}`);
    assert.equal(status, 0, `${lines}\n\nprinted:\n${stdout}${stderr}`);
  }

  test('everything that is prepared is for an example', () => {
    const known = new Set(exampleBlocks().flatMap(({ command, text }) => [command, ...text.split('\n')]));
    const { before: prepared, after: repaired, shells } = examples;
    const names = [prepared, repaired, shells].flatMap((each) => Object.keys(each));
    assert.deepEqual(
      names.filter((name) => !known.has(name)),
      [],
    );
  });
});

/** The blocks that follow `Examples:`, each with the command whose they are. */
function exampleBlocks(): readonly { readonly command: string; readonly text: string }[] {
  const lines = readPage(page).split('\n');
  return blocksOf(readPage(page), 'sh').flatMap(({ line, text }) => {
    const head = lines.slice(0, line).findLast((each) => each.startsWith('## oci ')) ?? '';
    return lines[line - 4] === 'Examples:' ? [{ command: head.slice('## oci '.length), text }] : [];
  });
}
