import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAnyDigest } from '../../digest/digest.ts';
import { isOciError } from '../../errors.ts';
import { leaseToken } from '../lease/lease-name.ts';
import { listingDigest } from '../listings.ts';
import { namesIn } from '../names-in.ts';
import type { StoreProblem } from './problem.ts';

/** What a store has at its top; `containers`, `cache`, `snapshots` and what builds have belong to programs above it. */
const known: ReadonlySet<string> = new Set([
  'blobs',
  'index.json',
  'oci-layout',
  'ingest',
  'leases',
  'listings',
  'locks',
  'quarantine',
  'snapshots',
  'build-cache',
  'builds',
  'containers',
  'cache',
  'lost+found',
]);

/** Which names belong into a directory of our own. */
const expected: Readonly<Record<string, (name: string) => boolean>> = {
  ingest: (name) => name === 'index.json' || name === 'oci-layout' || isPartial(name),
  leases: (name) => leaseToken(name) !== undefined,
  listings: (name) => listingDigest(name) !== undefined,
  locks: (name) => /^(?:index|blob-[a-z0-9]+-[0-9a-f]+)(?:\.[0-9a-f]{16})?$/.test(name),
};

/** Files that belong to nothing that we know, outside of `blobs/`. */
export async function findStrays(directory: string): Promise<readonly StoreProblem[]> {
  const strays = (await readdir(directory)).filter((name) => !known.has(name));
  for (const [place, belongs] of Object.entries(expected))
    for (const name of await namesIn(join(directory, place)))
      if (!belongs(name)) strays.push(join(place, name));
  return strays.map(stray);
}

/** The problem of a file that belongs to nothing. */
export function stray(path: string): StoreProblem {
  return { kind: 'stray-file', path, message: `${path} is no part of a store` };
}

function isPartial(name: string): boolean {
  try {
    parseAnyDigest(name.replace('-', ':'));
    return true;
  } catch (error) {
    if (isOciError(error, 'ERR_OCI_DIGEST_INVALID')) return false;
    throw error;
  }
}
