import { existsSync } from 'node:fs';
import type { OnEvent } from '@ocijs/image';

/** Undoes the connections that killed commands left; costs nothing where no container ever ran. */
export async function releaseLeftNetworks(root: string, onEvent: OnEvent): Promise<void> {
  if (!existsSync(root)) return;
  const { releaseNetworks } = await import('@ocijs/runtime');
  await releaseNetworks({ root, onEvent });
}
