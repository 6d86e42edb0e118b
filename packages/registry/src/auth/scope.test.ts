import assert from 'node:assert/strict';
import { testTable } from '../tables.testkit.ts';
import { cleanScopes, repositoryScope } from './scope.ts';

type Row =
  | { readonly kind: 'clean'; readonly scopes: readonly string[]; readonly want?: readonly string[] | null }
  | {
      readonly kind: 'make';
      readonly repository: string;
      readonly actions: readonly string[];
      readonly want?: string;
    }
  | { readonly kind: 'merge' };

testTable<Row>('auth-scopes.json', (row) => {
  if (row.kind === 'clean') assert.deepEqual(cleanScopes(row.scopes), row.want ?? []);
  if (row.kind === 'make') assert.equal(repositoryScope(row.repository, row.actions), row.want);
});
