/** One way to do a piece of work. */
export interface Contender {
  readonly name: string;
  /** Somebody else's program, which may not work on this machine: then it is left out, and said to be. */
  readonly foreign?: boolean;
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
  /** Ends what was started for it. */
  close?(): Promise<void>;
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

/** The figures, and what did not run here with the reason. */
export interface Measurement {
  readonly timings: readonly Timing[];
  readonly omitted: readonly string[];
}

/** Runs all contenders in turn, `rounds` times after a warm-up, so that a slow minute of the machine hits each alike. */
export async function measure({ contenders }: Comparison, rounds: number): Promise<Measurement> {
  const samples = new Map<Contender, number[]>(contenders.map((contender) => [contender, []]));
  const omitted: string[] = [];
  for (let round = -1; round < rounds; round++) {
    for (const [contender, times] of samples) {
      try {
        const elapsed = await time(contender);
        if (round >= 0) times.push(elapsed);
      } catch (error) {
        if (!contender.foreign || round >= 0) throw error;
        samples.delete(contender);
        omitted.push(`${contender.name}: ${error instanceof Error ? error.message : error}`);
      }
    }
  }
  const medians = [...samples.values()].map(median);
  const timings = [...samples].map(([{ name }, times], index) => {
    const middle = medians[index] ?? 0;
    return {
      name,
      min: Math.min(...times),
      median: middle,
      max: Math.max(...times),
      ratio: middle / (medians[0] ?? 1),
    };
  });
  return { timings, omitted };
}

async function time(contender: Contender): Promise<number> {
  await contender.prepare?.();
  const started = performance.now();
  await contender.run();
  const elapsed = performance.now() - started;
  await contender.cleanUp?.();
  return elapsed;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
