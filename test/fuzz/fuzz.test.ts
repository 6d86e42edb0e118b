import assert from 'node:assert/strict';
import { test } from 'node:test';
import { campaign } from './campaign.ts';

// `node --conditions=source test/fuzz/run.ts` reads a million.
test('mutated archives and streams are read or refused with a code', async () => {
  const { inputs } = await campaign({ inputs: 2_000, seed: 1 });
  assert.equal(inputs, 2_000);
});
