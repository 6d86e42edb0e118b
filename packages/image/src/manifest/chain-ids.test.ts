import assert from 'node:assert/strict';
import type { Digest } from '../digest/digest.ts';
import { testTable } from '../testing/tables.ts';
import { chainIds } from './chain-ids.ts';

interface ChainCase {
  readonly diffIDs: readonly Digest[];
  readonly chainIDs: readonly Digest[];
}

testTable<ChainCase>('image-spec/chain-id.json', ({ diffIDs, chainIDs }) => {
  assert.deepEqual(chainIds(diffIDs), chainIDs);
});
