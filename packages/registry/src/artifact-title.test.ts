import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTitlesAgree } from './artifact-title.ts';

const refused = { code: 'ERR_OCI_REGISTRY_ARTIFACT_INVALID' };
const composed = '\u00e9';
const decomposed = 'e\u0301';

test('titles that differ in case or composition are one name where file systems take them for one', () => {
  for (const titles of [
    ['Readme', 'README'],
    [composed, decomposed],
    ['A', 'a/b'],
    [`${composed}/x`, decomposed],
  ]) {
    assert.throws(() => checkTitlesAgree(titles, { foldsCase: true }), refused, titles.join());
    checkTitlesAgree(titles, { foldsCase: false });
  }
});
