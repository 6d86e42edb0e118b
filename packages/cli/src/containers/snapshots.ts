import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest, Store } from '@ocijs/image';
import { environment } from '../env.ts';
import { codeOf } from '../exit-codes.ts';

/** Where the layers are that the containers of a store share. */
export function snapshotsDirectory(storeDirectory: string): string {
  return join(storeDirectory, 'snapshots');
}

/**
 * The chain ids of all snapshots that containers of a store need, also those that are being made or removed.
 */
async function snapshotsInUse(storeDirectory: string): Promise<ReadonlySet<Digest>> {
  const { readRootfsRecord } = await import('@ocijs/bundle');
  const base = join(storeDirectory, 'containers');
  const used = new Set<Digest>();
  for (const id of await namesIn(base)) {
    const record = await readRootfsRecord(join(base, id, 'bundle'));
    for (const chainId of record?.chainIds ?? []) used.add(chainId);
  }
  return used;
}

/** The chain ids of all layers of the store's images: without their snapshots, the next run would unpack them again. */
export async function snapshotsOfImages(store: Store): Promise<ReadonlySet<Digest>> {
  const { chainIds, isOciError } = await import('@ocijs/image');
  const used = new Set<Digest>();
  for (const { name } of await store.list()) {
    try {
      const { config } = await store.image(name);
      for (const chainId of chainIds(config.rootfs.diff_ids)) used.add(chainId);
    } catch (error) {
      // What cannot be loaded here (an artifact, another platform's image) was never run here either.
      if (!isOciError(error)) throw error;
    }
  }
  return used;
}

/** What {@link removeUnusedSnapshots} leaves and how it works. */
export interface RemoveSnapshotsOptions {
  /** Chain ids to keep besides those of containers, such as those of images. */
  readonly keep?: Iterable<Digest>;
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Removes the snapshots that no container needs, and returns their chain ids. An ordinary user's also from user namespaces
 * without other users; see {@link removeNamespaceSnapshots}.
 */
export async function removeUnusedSnapshots(
  storeDirectory: string,
  { keep = [], ...options }: RemoveSnapshotsOptions = {},
): Promise<readonly Digest[]> {
  const directory = snapshotsDirectory(storeDirectory);
  if (!existsSync(directory)) return [];
  const { openSnapshots } = await import('@ocijs/bundle');
  const own = await openSnapshots(directory);
  const others = own.kind === 'user' ? [await openSnapshots(directory, { kind: 'single' })] : [];
  const inUse = async () => [...keep, ...(await snapshotsInUse(storeDirectory))];
  const removed = new Set<Digest>();
  for (const snapshots of [own, ...others])
    for (const chainId of await snapshots.removeUnused(inUse, options)) removed.add(chainId);
  return [...removed].sort();
}

/**
 * Removes those that containers with other users left, whose files belong to an ordinary user's subordinate ids: in a user
 * namespace that has them. `onWarning` hears when there is none.
 */
export async function removeNamespaceSnapshots(
  storeDirectory: string,
  {
    dryRun = false,
    signal,
    onWarning,
  }: {
    readonly dryRun?: boolean;
    readonly signal: AbortSignal;
    readonly onWarning: (message: string) => void;
  },
): Promise<readonly Digest[]> {
  const { hasSnapshots } = await import('@ocijs/bundle');
  if (process.geteuid?.() === 0) return [];
  if (!(await hasSnapshots(snapshotsDirectory(storeDirectory), 'namespace'))) return [];
  const { planRootless } = await import('../run/rootless.ts');
  const { runOci } = await import('../user-namespace/run-oci.ts');
  const plan = await planRootless(environment['PATH'] ?? '', 'host');
  if (!plan.hasRanges) {
    onWarning('unpacked layers of subordinate ids stay: there are no such ids any more');
    return [];
  }
  const args = ['snapshots', 'remove', ...(dryRun ? ['--dry-run'] : [])];
  return (await runOci(args, { plan, env: { OCI_STORE: storeDirectory }, signal })) as readonly Digest[];
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}
