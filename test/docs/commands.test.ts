import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { missing } from '../kit/requirements.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../kit/temporary.ts';
import { blocksOf } from './blocks.ts';
import { openPlace, type Place } from './place.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const guides = ['ci', 'mirror-and-air-gap', 'reproducible-images', 'unpack'];
const pages = ['README.md', 'packages/cli/README.md', ...guides.map((name) => `docs/guides/${name}.md`)];
/** Part of a page's name: only those are run, for whoever writes one. */
const wanted = process.env['DOCS_PAGES'] ?? '';
const skip = missing({ root: true, commands: ['busybox', 'bash'] });

// The blocks of a page follow one another in one place, as a reader would type them.
for (const page of pages.filter((name) => name.includes(wanted))) {
  describe(`the commands of ${page}`, { skip, timeout: 600_000 }, () => {
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

    for (const { line, text, reason } of blocksOf(readFileSync(`${root}${page}`, 'utf8'), 'sh')) {
      test(`from line ${line}`, { skip: reason ?? false }, async () => {
        const { status, stdout, stderr } = await place.run(text);
        assert.equal(status, 0, `${text}\n\nprinted:\n${stdout}${stderr}`);
      });
    }
  });
}
