import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, parseAnyDigest } from '../../digest/digest.ts';
import { isOciError } from '../../errors.ts';
import { LEASE_LIMIT } from '../../limits.ts';
import { errnoOf } from '../failure.ts';
import { readSmallFile } from '../file-chunks.ts';
import type { LayoutFiles } from '../layout-files.ts';
import { tokenLiveness, tokenPid } from '../lock/owner.ts';
import { leaseToken } from './lease-name.ts';

/** How long a lease whose holder cannot be seen from here is good without renewal: many missed renewals. */
const EXPIRY_MS = 10 * 60_000;

/** A lease as a collector sees it. */
export interface FoundLease {
  readonly path: string;
  /** Of the holder. */
  readonly pid: number | undefined;
  readonly purpose: string;
  readonly digests: ReadonlySet<Digest>;
  /** The holder has ended, or has not renewed for 10 minutes and is out of sight. */
  readonly expired: boolean;
}

/** Reads all leases of a layout; those that end meanwhile are left out. */
export async function readLeases({ directory }: LayoutFiles): Promise<readonly FoundLease[]> {
  const found: FoundLease[] = [];
  const leases = join(directory, 'leases');
  for (const name of (await absentAsUndefined(readdir(leases))) ?? []) {
    const token = leaseToken(name);
    if (token === undefined) continue;
    const path = join(leases, name);
    const lease = await absentAsUndefined(readLease(path, token));
    if (lease !== undefined) found.push(lease);
  }
  return found;
}

async function readLease(path: string, token: string): Promise<FoundLease> {
  const liveness = tokenLiveness(token);
  const { mtimeMs } = await lstat(path);
  const lines = Buffer.from(await readSmallFile(path, LEASE_LIMIT))
    .toString('latin1')
    .split('\n')
    .slice(0, -1);
  return {
    path,
    pid: tokenPid(token),
    purpose: lines.find((line) => line.startsWith('# '))?.slice(2) ?? '',
    digests: new Set(lines.flatMap(digestOf)),
    expired: liveness === 'gone' || (liveness === 'unknown' && Date.now() - mtimeMs > EXPIRY_MS),
  };
}

function digestOf(line: string): Digest[] {
  if (line.startsWith('#')) return [];
  try {
    return [parseAnyDigest(line)];
  } catch (error) {
    // A line of a future version protects nothing that we know of.
    if (isOciError(error)) return [];
    throw error;
  }
}

async function absentAsUndefined<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
