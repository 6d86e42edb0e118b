import { readFileSync } from 'node:fs';

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
  /** Processor time of this program and of those that it waited for, user and system, in milliseconds: the median. */
  readonly cpu: number;
}

interface Sample {
  readonly elapsed: number;
  readonly cpu: number;
}

/** The figures, and what did not run here with the reason. */
export interface Measurement {
  readonly timings: readonly Timing[];
  readonly omitted: readonly string[];
}

/** Runs all contenders in turn, `rounds` times after a warm-up, so that a slow minute of the machine hits each alike. */
export async function measure({ contenders }: Comparison, rounds: number): Promise<Measurement> {
  const samples = new Map<Contender, Sample[]>(contenders.map((contender) => [contender, []]));
  const omitted: string[] = [];
  for (let round = -1; round < rounds; round++) {
    for (const [contender, taken] of samples) {
      try {
        const sample = await time(contender);
        if (round >= 0) taken.push(sample);
      } catch (error) {
        if (!contender.foreign || round >= 0) throw error;
        samples.delete(contender);
        omitted.push(`${contender.name}: ${error instanceof Error ? error.message : error}`);
      }
    }
  }
  let first: number | undefined;
  const timings = [...samples].map(([{ name }, taken]) => {
    const times = taken.map(({ elapsed }) => elapsed);
    const middle = median(times);
    first ??= middle;
    return {
      name,
      min: Math.min(...times),
      median: middle,
      max: Math.max(...times),
      ratio: middle / first,
      cpu: median(taken.map(({ cpu }) => cpu)),
    };
  });
  return { timings, omitted };
}

async function time(contender: Contender): Promise<Sample> {
  await contender.prepare?.();
  const [started, cpuBefore] = [performance.now(), cpuTime()];
  await contender.run();
  const sample = { elapsed: performance.now() - started, cpu: cpuTime() - cpuBefore };
  await contender.cleanUp?.();
  return sample;
}

/** What the kernel counted for this process and its children that have ended, in hundredths of a second (proc(5)). */
function cpuTime(): number {
  const fields = readFileSync('/proc/self/stat', 'latin1')
    .replace(/^.*\) /, '')
    .split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * 10, 0);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
