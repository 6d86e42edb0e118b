import { existsSync, readFileSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ownTables = new URL('../../test/testdata/', import.meta.url);
/** The full tables lie beside the checkout on machines that have them. */
const sharedTables = new URL('../../../../../shared/testdata/', import.meta.url);

/** The path of a file or folder of the shared test data, or undefined where they are missing. */
export function sharedTestdata(path: string): string | undefined {
  const file = fileURLToPath(new URL(path, sharedTables));
  return existsSync(file) ? file : undefined;
}

function runRows<Row>(file: string, check: (row: Row) => void, context: TestContext): void {
  const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { readonly cases: readonly Row[] };
  if (cases.length === 0) throw new Error(`${file} has no cases`);
  for (const row of cases) {
    try {
      check(row);
    } catch (cause) {
      throw new Error(`case ${JSON.stringify(row).slice(0, 400)}`, { cause });
    }
  }
  context.diagnostic(`${cases.length} cases`);
}

/** Runs every case of a table of facts: of this package's extract, and of the full table where there is one. */
export function testTable<Row>(path: string, check: (row: Row) => void): void {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const shared = sharedTestdata(path);
  describe(`table ${name}`, () => {
    test('extract', (context) => runRows(fileURLToPath(new URL(name, ownTables)), check, context));
    test(
      'in full',
      { skip: shared === undefined && 'the shared test data are not on this machine' },
      (context) => runRows(shared ?? '', check, context),
    );
  });
}
