import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blocksOf } from './blocks.ts';

test('blocks are found with their place and the reason that stands before them', () => {
  const page =
    'a\n\n```sh\none\ntwo\n```\n<!-- not run: needs a phone -->\n\n```sh\nthree\n```\n```js\nx\n```\n';
  assert.deepEqual(blocksOf(page, 'sh'), [
    { line: 4, text: 'one\ntwo', reason: undefined },
    { line: 10, text: 'three', reason: 'needs a phone' },
  ]);
  assert.equal(blocksOf(page, 'js').length, 1);
});
