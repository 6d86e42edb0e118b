import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { type TemporaryDirectory, temporaryDirectory } from '../kit/temporary.ts';
import { blocksOf } from './blocks.ts';
import { follow, hasWorked, pagesMissing } from './follow.ts';
import { elsewhere, notRun } from './not-run.ts';
import { pages, readPage, root } from './pages.ts';
import { openPlace, type Place } from './place.ts';
import { commandLines, type Step, stepsOf } from './steps.ts';

/** Part of a page's name: only those are run, for whoever writes one. */
const wanted = process.env['DOCS_PAGES'] ?? '';
const skip = pagesMissing();

// The blocks of a page follow one another in one place, as a reader would type them.
for (const page of pages.filter((name) => name.includes(wanted) && !(name in elsewhere))) {
  const blocks = blocksOf(readPage(page), 'sh').map(({ line, text }) => ({
    line,
    steps: stepsOf(page, text),
  }));
  if (blocks.length === 0) continue;
  const isRun = blocks.some(({ steps }) => steps.some(({ kind }) => kind !== 'skip'));
  describe(`the commands of ${page}`, { skip, timeout: 600_000 }, () => {
    let temporary: TemporaryDirectory;
    let place: Place;
    before(async () => {
      if (!isRun) return;
      temporary = await temporaryDirectory();
      place = await openPlace(temporary.path, { asUser: page.endsWith('rootless.md') });
    });
    after(async () => {
      await place?.[Symbol.asyncDispose]();
      await temporary?.[Symbol.asyncDispose]();
    });

    for (const { line, steps } of blocks) {
      const left = steps.filter((step) => step.kind === 'skip');
      for (const step of left) test(`line ${line}: ${step.text}`, { skip: step.reason });
      if (left.length < steps.length)
        test(`from line ${line}`, async () => {
          for (const step of steps) await works(place, step);
        });
    }
  });
}

async function works(place: Place, step: Step): Promise<void> {
  if (step.kind === 'skip') return;
  const result = await follow(place, step);
  const { status, signal, stdout, stderr } = result;
  const ended = `${step.text}\n\nended with ${status ?? signal} and printed:\n${stdout}${stderr}`;
  assert.ok(hasWorked(step, result), ended);
}

test('what the pages say of npm is in package.json', () => {
  const { scripts } = JSON.parse(readPage('package.json')) as { scripts: Record<string, string> };
  for (const page of pages)
    for (const [, name = '', isOfPackage] of readPage(page).matchAll(/\bnpm run ([\w:]+)( -w)?/g))
      assert.ok(isOfPackage || name in scripts, `${page}: npm run ${name}`);
});

test('a page that another test runs is named there, and every reason not to run a line is one of a line', () => {
  for (const [page, file] of Object.entries(elsewhere)) {
    const name = page.slice(page.lastIndexOf('/') + 1, -'.md'.length);
    assert.ok(readFileSync(`${root}${file}`, 'utf8').includes(name), `${file} does not run ${page}`);
  }
  const lines = pages.flatMap((page) =>
    blocksOf(readPage(page), 'sh').flatMap(({ text }) => commandLines(text).map((line) => ({ page, line }))),
  );
  for (const { page, line, reason } of notRun)
    assert.ok(
      lines.some((each) => (page === undefined || page === each.page) && line.test(each.line)),
      `nothing is left out for: ${reason}`,
    );
});
