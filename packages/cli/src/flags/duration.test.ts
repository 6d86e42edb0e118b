import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDuration } from './duration.ts';

test('a time span has a number and a unit', () => {
  const read = (text: string): number => parseDuration('--grace', text);
  assert.deepEqual(
    ['0', '0s', '90m', '24h', '7d', '1.5h', '250ms'].map(read),
    [0, 0, 5_400_000, 86_400_000, 604_800_000, 5_400_000, 250],
  );
  for (const text of ['', '24', '-1h', 'h', '1 h', '1w', '1h30m', '9999999999999999d'])
    assert.throws(() => read(text), { code: 'ERR_OCI_USAGE', message: /^--grace/ });
});
