import { test } from 'node:test';
import { available } from '@ocijs/linux';
import { runCases } from './testing/round-trip.ts';

const isRoot = process.getuid?.() === 0;

/** `npm run test:round-trip` runs 300 cases. */
const count = Number(process.env['OCI_ROUND_TRIPS'] ?? 4);

test(
  'unpack, random edits, repack, unpack: the edited tree',
  {
    skip: !available() ? 'needs Linux' : !isRoot && 'needs root',
  },
  () => runCases({ from: 1, count, rootless: false }),
);

test('the same without owners and devices', { skip: !available() && 'needs Linux' }, () =>
  runCases({ from: 1, count, rootless: true }),
);
