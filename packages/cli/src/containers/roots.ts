import type { GarbageRoot } from '@ocijs/image';
import { openContainers } from './collection.ts';

/** The images that containers were made from: garbage collection leaves them, also without a name. */
export async function containerRoots(storeDirectory: string): Promise<readonly GarbageRoot[]> {
  const { parseAnyDigest } = await import('@ocijs/image');
  const containers = await openContainers(storeDirectory).list();
  return containers
    .filter(({ record }) => record.image.digest !== '')
    .map(({ record }) => ({
      digest: parseAnyDigest(record.image.digest),
      reason: `used by container ${record.name}`,
    }));
}
