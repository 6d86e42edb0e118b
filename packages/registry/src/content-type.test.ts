import assert from 'node:assert/strict';
import { mediaTypeOf } from './content-type.ts';
import { testTable } from './tables.testkit.ts';

testTable<{ readonly input: string; readonly expected: string }>(
  'content-type.json',
  ({ input, expected }) => {
    assert.equal(mediaTypeOf(input) ?? '', expected);
  },
);
