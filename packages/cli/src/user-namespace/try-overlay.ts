import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RootlessPlan } from '../run/rootless.ts';
import { holdOverlay, type OverlayDriver } from './holder.ts';

/**
 * What mounts overlays for an ordinary user whose layers and changes lie where `directory` is; undefined when nothing does. It is tried:
 * kernels, file systems and policies of hosts forbid it in too many ways to be asked. Nothing is left in the directory.
 */
export async function tryOverlay(
  directory: string,
  plan: Pick<RootlessPlan, 'options'>,
): Promise<OverlayDriver | undefined> {
  const { discardRootfs, makeOwnOverlay, trialPrefix } = await import('@ocijs/bundle');
  const trial = await mkdtemp(join(directory, trialPrefix));
  try {
    const layer = join(trial, 'layer');
    await mkdir(layer);
    using holder = await holdOverlay(await makeOwnOverlay(trial, [layer]), { plan, temporary: true });
    return holder?.driver;
  } finally {
    await discardRootfs(trial);
    await rm(trial, { recursive: true, force: true });
  }
}
