import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blocksOf } from './blocks.ts';
import { commandLines, stepsOf } from './steps.ts';

test('blocks are found with their place', () => {
  const page = 'a\n\n```sh\none\ntwo\n```\n\n```sh\nthree\n```\n```js\nx\n```\n';
  assert.deepEqual(blocksOf(page, 'sh'), [
    { line: 4, text: 'one\ntwo' },
    { line: 9, text: 'three' },
  ]);
  assert.equal(blocksOf(page, 'js').length, 1);
});

test('lines that belong together stay so', () => {
  const text = "a \\\n  b\n\ncat >f <<'EOF'\nx\n\ny\nEOF\nc";
  assert.deepEqual(commandLines(text), ['a \\\n  b', "cat >f <<'EOF'\nx\n\ny\nEOF", 'c']);
});

test('what goes on until somebody ends it is a step of its own, and so is what cannot be run', () => {
  const text = 'a\nb\noci serve x\nnpm install @ocijs/image\noci serve y &\noci explore --export z i';
  assert.deepEqual(
    stepsOf('page', text).map((step) => [step.kind, step.text]),
    [
      ['run', 'a\nb'],
      ['type', 'oci serve x'],
      ['skip', 'npm install @ocijs/image'],
      ['run', 'oci serve y &\noci explore --export z i'],
    ],
  );
});
