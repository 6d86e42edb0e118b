import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCampaign } from './campaign.ts';

// A part of what `npm run faults` does.
test('pulls and pushes through faults end in the right digest or a coded error, and leave sound stores', async () => {
  const { endings, faults } = await runCampaign({ pulls: 20, pushes: 10 });
  const total = [...endings.values()].reduce((sum, number) => sum + number, 0);
  assert.equal(total, 2 + 20 + 10);
  assert.ok((endings.get('right') ?? 0) > 10, 'some get through');
  assert.ok(faults.size >= 8, [...faults.keys()].join());
});
