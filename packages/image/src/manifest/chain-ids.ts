import type { Digest } from '../digest/digest.ts';
import { digestBytes } from '../digest/hasher.ts';

/**
 * Names the result of applying layers 0 to i, for each i, by the digests of the uncompressed layers
 * (image-spec `config.md`, "Layer ChainID"): the first is the layer's own, every later one the sha256 of
 * "previous chain ID, space, diff ID".
 */
export function chainIds(diffIds: readonly Digest[]): Digest[] {
  const chain: Digest[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    chain.push(below === undefined ? diffId : digestBytes(Buffer.from(`${below} ${diffId}`)));
  }
  return chain;
}
