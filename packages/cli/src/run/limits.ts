import type { Resources, Rlimit } from '@ocijs/bundle';
import { usageError } from '../errors.ts';
import { parseBytes } from '../render/bytes.ts';
import type { RunFlagValues } from './flags.ts';

const cpuPeriod = 100_000;

/** The kernel takes no shorter time slice, in microseconds. */
const smallestQuota = 1000;

type LimitFlags = Pick<
  RunFlagValues,
  | 'memory'
  | 'memory-reservation'
  | 'memory-swap'
  | 'cpus'
  | 'cpu-shares'
  | 'cpuset-cpus'
  | 'cpuset-mems'
  | 'pids-limit'
>;

/** The limits that `--memory`, `--cpus`, `--pids-limit` and their sisters set. Throws ERR_OCI_USAGE. */
export function resourceLimits(flags: LimitFlags): Resources {
  const pids = flags['pids-limit'];
  const memory = memoryLimits(flags);
  const cpu = cpuLimits(flags);
  return {
    ...(Object.keys(memory).length === 0 ? {} : { memory }),
    ...(Object.keys(cpu).length === 0 ? {} : { cpu }),
    // Docker takes 0 and -1 for no limit; runtimes take -1.
    ...(pids === undefined ? {} : { pids: { limit: pids === 0 ? -1 : pids } }),
  };
}

function memoryLimits(flags: LimitFlags): NonNullable<Resources['memory']> {
  const limit = memorySize('memory', flags);
  const reservation = memorySize('memory-reservation', flags);
  const swap = flags['memory-swap'] === '-1' ? -1 : memorySize('memory-swap', flags);
  if (swap !== undefined && (limit === undefined || (swap !== -1 && swap < limit))) {
    throw usageError(
      '--memory-swap counts memory and swap together',
      'give --memory, too, and not more than that',
    );
  }
  return {
    ...(limit === undefined ? {} : { limit }),
    ...(reservation === undefined ? {} : { reservation }),
    ...(swap === undefined ? {} : { swap }),
  };
}

function cpuLimits(flags: LimitFlags): NonNullable<Resources['cpu']> {
  const { cpus, 'cpu-shares': shares, 'cpuset-cpus': list, 'cpuset-mems': nodes } = flags;
  return {
    ...(cpus === undefined ? {} : { period: cpuPeriod, quota: cpuQuota(cpus) }),
    ...(shares === undefined ? {} : { shares }),
    ...(list === undefined ? {} : { cpus: numberList('cpuset-cpus', list) }),
    ...(nodes === undefined ? {} : { mems: numberList('cpuset-mems', nodes) }),
  };
}

function numberList(flag: string, text: string): string {
  if (/^\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*$/.test(text)) return text;
  throw usageError(`--${flag} ${JSON.stringify(text)} is not a list such as 0-3,6`);
}

function memorySize(
  flag: 'memory' | 'memory-reservation' | 'memory-swap',
  flags: LimitFlags,
): number | undefined {
  const text = flags[flag];
  return text === undefined ? undefined : parseSize(flag, text);
}

/** Reads a size such as `512m`, in bytes. Throws ERR_OCI_USAGE, naming the flag. */
export function parseSize(flag: string, text: string): number {
  const bytes = parseBytes(text);
  if (bytes !== undefined && bytes > 0) return bytes;
  throw usageError(`--${flag} ${JSON.stringify(text)} is not a size`, 'for example 512m or 2g');
}

function cpuQuota(text: string): number {
  const quota = /^\d+(?:\.\d+)?$/.test(text) ? Math.round(Number(text) * cpuPeriod) : Number.NaN;
  if (quota >= smallestQuota && Number.isSafeInteger(quota)) return quota;
  throw usageError(`--cpus ${JSON.stringify(text)} is not a number of at least 0.01`);
}

const limitNames: ReadonlySet<string> = new Set(
  'as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(
    ' ',
  ),
);

/** RLIM_INFINITY, 2^64 - 1, has no exact form as a number; the runtime takes what lies above for it. */
const unlimited = 2 ** 64;

/** Reads `--ulimit NAME=SOFT[:HARD]`; -1 and `unlimited` mean none. Throws ERR_OCI_USAGE. */
export function parseUlimit(text: string): Rlimit {
  const match = /^([a-z]+)=(-1|\d{1,15}|unlimited)(?::(-1|\d{1,15}|unlimited))?$/.exec(text);
  const name = match?.[1] ?? '';
  if (match === null || !limitNames.has(name)) {
    throw usageError(
      `--ulimit ${JSON.stringify(text)} is not NAME=SOFT[:HARD]`,
      `names: ${[...limitNames].join(' ')}`,
    );
  }
  const soft = limitValue(match[2] ?? '');
  const hard = limitValue(match[3] ?? match[2] ?? '');
  if (hard !== unlimited && (soft === unlimited || soft > hard)) {
    throw usageError(`--ulimit ${text}: the soft limit is above the hard limit`);
  }
  return { type: `RLIMIT_${name.toUpperCase()}`, soft, hard };
}

function limitValue(text: string): number {
  return text === '-1' || text === 'unlimited' ? unlimited : Number(text);
}
