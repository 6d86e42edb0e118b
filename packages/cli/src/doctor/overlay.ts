import { constants } from 'node:fs/promises';
import { resolve } from 'node:path';
import { environment } from '../env.ts';
import { systemMeaning } from '../render/system-error.ts';
import { planRootless } from '../run/rootless.ts';
import type { OverlayDriver } from '../user-namespace/holder.ts';
import { tryOverlay } from '../user-namespace/try-overlay.ts';
import { isAccessible, nearestExisting } from './access.ts';
import type { Finding, Host } from './check.ts';

/**
 * Whether containers share the layers of their image, or get copies of their own. For an ordinary user an overlay is tried where the
 * layers are, or would be: `directory` is not made.
 */
export async function overlayCheck(host: Host, directory: string): Promise<Finding> {
  const name = 'overlayfs';
  const isListed = /\boverlay$/m.test((await host.read('/proc/filesystems')) ?? '');
  if (host.isRoot) {
    if (isListed) return { name, verdict: 'ok', found: 'in this kernel' };
    const remedy = 'load it with `modprobe overlay`; containers get private copies without it';
    return { name, verdict: 'limited', found: 'not registered', remedy };
  }
  const place = await nearestExisting(directory);
  if (!(await isAccessible(place, constants.W_OK))) {
    const remedy = 'choose another store with --store or OCI_STORE';
    return { name, verdict: 'limited', found: `not tried: ${place} is not writable`, remedy };
  }
  let driver: OverlayDriver | undefined;
  try {
    // What is tried where layers are is not taken for something that was left there.
    using _ = place === resolve(directory) ? await lockSnapshots(place) : undefined;
    driver = await tryOverlay(place, await planRootless(environment['PATH'] ?? '', 'private'));
  } catch (error) {
    const remedy = 'make it possible to write there, or choose another store with --store or OCI_STORE';
    return { name, verdict: 'limited', found: `not tried in ${place}: ${systemMeaning(error)}`, remedy };
  }
  if (driver === 'overlayfs') return { name, verdict: 'ok', found: `works for this user in ${place}` };
  if (driver !== undefined) return { name, verdict: 'ok', found: `by ${driver} in ${place}` };
  const remedy =
    'containers get private copies; Linux 5.11 allows it in user namespaces, else install fuse-overlayfs';
  return { name, verdict: 'limited', found: `refused to this user in ${place}`, remedy };
}

async function lockSnapshots(directory: string): Promise<Disposable> {
  const { lockDirectory } = await import('@ocijs/bundle');
  return lockDirectory(directory, { exclusive: false });
}
