import { mutate, randomness } from './mutate.ts';
import { readers } from './readers.ts';

/** What a campaign did. */
export interface Campaign {
  readonly inputs: number;
  /** The longest time that one input took, in milliseconds. */
  readonly slowest: number;
}

/**
 * Reads mutated inputs with every reader in turn. Throws for the first one that fails with anything but a coded error,
 * naming the seed that makes it again.
 */
export async function campaign({
  inputs,
  seed,
}: {
  readonly inputs: number;
  readonly seed: number;
}): Promise<Campaign> {
  const all = readers();
  let slowest = 0;
  for (let index = 0; index < inputs; index++) {
    const reader = all[index % all.length];
    if (reader === undefined) break;
    const random = randomness(seed + index);
    const input = mutate(reader.corpus, random);
    const start = performance.now();
    try {
      await reader.read(input, random);
    } catch (error) {
      throw new Error(
        `${reader.name} failed on input ${index} of seed ${seed}, ${input.length} bytes: ${input.toString('base64').slice(0, 4_000)}`,
        { cause: error },
      );
    }
    slowest = Math.max(slowest, performance.now() - start);
  }
  return { inputs, slowest };
}
