import assert from 'node:assert/strict';
import { testTable } from '../tables.testkit.ts';
import { parseWarning } from './warning.ts';

type Text = string | { readonly $base64: string };

/** Header values reach the program with one character for each byte. */
function text(value: Text): string {
  return typeof value === 'string' ? value : Buffer.from(value.$base64, 'base64').toString('latin1');
}

testTable<{ readonly header: Text; readonly want: Text }>('warning-header.json', ({ header, want }) => {
  assert.equal(parseWarning(text(header)) ?? '', text(want));
});
