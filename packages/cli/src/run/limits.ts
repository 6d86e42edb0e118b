import type { Resources, Rlimit } from '@ocijs/bundle';
import { usageError } from '../errors.ts';
import { parseBytes } from '../render/bytes.ts';
import type { RunFlagValues } from './flags.ts';

const cpuPeriod = 100_000;

/** The kernel takes no shorter time slice, in microseconds. */
const smallestQuota = 1000;

/** The limits that `--memory`, `--cpus` and `--pids-limit` set. Throws ERR_OCI_USAGE. */
export function resourceLimits(flags: Pick<RunFlagValues, 'memory' | 'cpus' | 'pids-limit'>): Resources {
  const pids = flags['pids-limit'];
  return {
    ...(flags.memory === undefined ? {} : { memory: { limit: memoryLimit(flags.memory) } }),
    ...(flags.cpus === undefined ? {} : { cpu: { period: cpuPeriod, quota: cpuQuota(flags.cpus) } }),
    // Docker takes 0 and -1 for no limit; runtimes take -1.
    ...(pids === undefined ? {} : { pids: { limit: pids === 0 ? -1 : pids } }),
  };
}

function memoryLimit(text: string): number {
  const bytes = parseBytes(text);
  if (bytes !== undefined && bytes > 0) return bytes;
  throw usageError(`--memory ${JSON.stringify(text)} is not a size`, 'for example 512m or 2g');
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
