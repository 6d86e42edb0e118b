/** One way to do a piece of work. */
export interface Contender {
  readonly name: string;
  /** Not timed. */
  prepare?(): Promise<void>;
  run(): Promise<void>;
  /** Not timed. */
  cleanUp?(): Promise<void>;
}

/** Ways to do the same piece of work; the first one is the measure of the others. */
export interface Comparison {
  readonly title: string;
  readonly contenders: readonly Contender[];
}

/** How long one contender took, in milliseconds. */
export interface Timing {
  readonly name: string;
  readonly min: number;
  readonly median: number;
  readonly max: number;
  /** Median over the first contender's median. */
  readonly ratio: number;
}

/** Runs all contenders in turn, `rounds` times after a warm-up, so that a slow minute of the machine hits each alike. */
export async function measure({ contenders }: Comparison, rounds: number): Promise<readonly Timing[]> {
  const samples = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (const contender of contenders) {
      await contender.prepare?.();
      const started = performance.now();
      await contender.run();
      const elapsed = performance.now() - started;
      if (round >= 0) samples.get(contender.name)?.push(elapsed);
      await contender.cleanUp?.();
    }
  }
  const baseline = median(samples.get(contenders[0]?.name ?? '') ?? []);
  return contenders.map(({ name }) => {
    const times = samples.get(name) ?? [];
    return {
      name,
      min: Math.min(...times),
      median: median(times),
      max: Math.max(...times),
      ratio: median(times) / baseline,
    };
  });
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
