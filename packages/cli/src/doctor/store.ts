import { constants, statfs } from 'node:fs/promises';
import { formatBytes } from '../render/bytes.ts';
import { isAccessible, nearestExisting } from './access.ts';
import type { Finding } from './check.ts';

/** Space and access at the store; nothing is made when it is not there yet. */
export async function storeCheck(directory: string): Promise<Finding> {
  const name = 'store';
  const existing = await nearestExisting(directory);
  const { bavail, bsize } = await statfs(existing);
  const free = bavail * bsize;
  const found = `${directory}, ${formatBytes(free)} free`;
  if (!(await isAccessible(existing, constants.W_OK))) {
    const remedy = 'not writable: choose another store with --store or OCI_STORE';
    return { name, verdict: 'missing', found, remedy };
  }
  if (free > 1024 ** 3) return { name, verdict: 'ok', found };
  return {
    name,
    verdict: 'limited',
    found,
    remedy: 'make room, or choose another store with --store or OCI_STORE',
  };
}
