import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const testdata = new URL('../test/testdata/', import.meta.url);

/** The text of a test file. */
export function readTestdata(name: string): string {
  return readFileSync(new URL(name, testdata), 'utf8');
}

/** Runs a check on every case of a table and says which one failed. */
export function testTable<Row>(name: string, check: (row: Row) => void): void {
  test(`table ${name}`, (context) => {
    const { cases } = JSON.parse(readTestdata(name)) as { readonly cases: readonly Row[] };
    if (cases.length === 0) throw new Error(`${name} has no cases`);
    for (const row of cases) {
      try {
        check(row);
      } catch (cause) {
        throw new Error(`case ${JSON.stringify(row).slice(0, 400)}`, { cause });
      }
    }
    context.diagnostic(`${cases.length} cases`);
  });
}
