import type { Fault, FaultKind, FaultPlan } from './fault.ts';
import { createRandom, type Random } from './random.ts';

/** Options of {@link seeded}. */
export interface SeededOptions {
  /** The same seed makes the same faults. */
  readonly seed: number | string;
  /** Which share of the requests fails, from 0 to 1. Default 0.2. */
  readonly rate?: number;
  /** What may happen. Default: everything. */
  readonly kinds?: readonly [FaultKind, ...FaultKind[]];
  /**
   * From which repetition of a request on (same method and path) nothing goes wrong with it; so a client that tries often
   * enough gets through. Default: never.
   */
  readonly harmlessFrom?: number;
  /** Faults inside of a body happen below this offset. Default 1 MiB. */
  readonly reach?: number;
  /** The speed of the slowest body. Default 100,000. */
  readonly leastBytesPerSecond?: number;
  /** Longest pause that a fault makes, in milliseconds; whole bodies may take longer. Default 200. */
  readonly longestPauseMs?: number;
}

const everything: readonly [FaultKind, ...FaultKind[]] = [
  'status',
  'drop',
  'drop-upload',
  'truncate',
  'shorten',
  'corrupt',
  'slow',
  'stall',
  'delay',
  'redirect',
  'ignore-range',
];

/**
 * A plan of random faults. What happens to a request depends on the seed, its method, its path and how often it was made,
 * not on the order in which requests of a concurrent client arrive.
 */
export function seeded(options: SeededOptions): FaultPlan {
  const { seed, rate = 0.2, kinds = everything, harmlessFrom = Number.POSITIVE_INFINITY } = options;
  return ({ method, path, count }) => {
    if (count >= harmlessFrom) return undefined;
    const random = createRandom(`${seed} ${method} ${withoutSessions(path)} ${count}`);
    return random.next() < rate ? faultOf(random.pick(kinds), { random, ...options }) : undefined;
  };
}

/** A path without the identifiers that a registry makes up. */
export function withoutSessions(path: string): string {
  return path.replace(/\/blobs\/uploads\/[^?/]+/, '/blobs/uploads/SESSION');
}

function faultOf(
  kind: FaultKind,
  {
    random,
    reach = 1024 * 1024,
    leastBytesPerSecond = 100_000,
    longestPauseMs = 200,
  }: SeededOptions & { readonly random: Random },
): Fault {
  // Small offsets are as likely as large ones, since most bodies are small.
  const offset = (): number => Math.floor(reach ** random.next());
  const pause = (): number => random.between(1, longestPauseMs + 1);
  switch (kind) {
    case 'status': {
      const status = random.pick([401, 403, 404, 408, 416, 429, 429, 500, 502, 503, 503, 504]);
      return { kind, status, ...(status === 429 ? { retryAfterSeconds: 0 } : {}) };
    }
    case 'drop':
      return { kind, when: random.pick(['before', 'after']) };
    case 'corrupt':
      return { kind, at: offset() - 1 };
    case 'slow':
      return { kind, bytesPerSecond: leastBytesPerSecond + offset() };
    case 'stall':
      return { kind, after: offset(), forMs: pause() };
    case 'delay':
      return { kind, ms: pause() };
    case 'redirect':
      return { kind, status: random.pick([302, 307, 308]) };
    case 'ignore-range':
      return { kind };
    default:
      return { kind, after: offset() };
  }
}
