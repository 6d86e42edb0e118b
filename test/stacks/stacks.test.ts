import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missing } from '../kit/requirements.ts';
import { compareWithOneByOne } from './threads.ts';
import { compareWithUmoci } from './umoci.ts';

// `npm run stacks` tries a thousand.
test('random stacks: threads make what applying layers one by one makes', {
  skip: missing({ root: true }),
}, async () => {
  await compareWithOneByOne({ runs: 5, seed: 1, large: true });
  const { valid } = await compareWithOneByOne({ runs: 20, seed: 2, large: false });
  assert.ok(valid > 0);
});

test(
  'random stacks: umoci makes the same',
  {
    skip: missing({ root: true, commands: ['umoci'] }),
  },
  () => compareWithUmoci({ stacks: 6, seed: 1 }),
);
