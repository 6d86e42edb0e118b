import type { Healthcheck } from '@ocijs/image';
import { usageError } from '../errors.ts';
import { parseDuration } from '../flags/duration.ts';
import type { RunFlagValues } from '../run/flags.ts';

/** A health check with all its times, in milliseconds; kept in the container's record. */
export interface HealthConfig {
  /** The command and its arguments, run in the container. */
  readonly command: readonly string[];
  readonly interval: number;
  readonly timeout: number;
  /** Failures in a row that make a container unhealthy. */
  readonly retries: number;
  /** For so long after the start failures do not count. */
  readonly startPeriod: number;
  /** Between checks in the start period. */
  readonly startInterval: number;
}

/** Docker's. */
const defaults = {
  interval: 30_000,
  timeout: 30_000,
  retries: 3,
  startPeriod: 0,
  startInterval: 5000,
} as const;

/** Docker takes no shorter times, in milliseconds. */
const shortest = 1;

const nanosecondsOf = (value: number | undefined): number | undefined =>
  value === undefined || value === 0 ? undefined : value / 1e6;

/**
 * The health check of a container: the image's, with what flags replace; undefined for none. Throws ERR_OCI_USAGE for
 * flags that make no sense.
 */
export function healthConfig(
  image: Healthcheck | undefined,
  flags: RunFlagValues,
  { shell = ['/bin/sh', '-c'] }: { readonly shell?: readonly string[] | undefined } = {},
): HealthConfig | undefined {
  const names = Object.keys(flags).filter(
    (name) => name.startsWith('health-') && flags[name as keyof RunFlagValues] !== undefined,
  );
  if (flags['no-healthcheck']) {
    if (names.length > 0) throw usageError(`--${names[0]} does not go with --no-healthcheck`);
    return undefined;
  }
  const command =
    flags['health-cmd'] === undefined ? imageCommand(image, shell) : [...shell, flags['health-cmd']];
  const time = (name: 'interval' | 'timeout' | 'start-period' | 'start-interval'): number | undefined => {
    const text = flags[`health-${name}`];
    if (text === undefined) return undefined;
    const milliseconds = parseDuration(`--health-${name}`, text);
    if (milliseconds >= shortest || name === 'start-period') return milliseconds;
    throw usageError(`--health-${name} must be at least 1ms`);
  };
  const config = {
    interval: time('interval') ?? nanosecondsOf(image?.Interval) ?? defaults.interval,
    timeout: time('timeout') ?? nanosecondsOf(image?.Timeout) ?? defaults.timeout,
    retries: flags['health-retries'] ?? (image?.Retries || defaults.retries),
    startPeriod: time('start-period') ?? nanosecondsOf(image?.StartPeriod) ?? defaults.startPeriod,
    startInterval: time('start-interval') ?? nanosecondsOf(image?.StartInterval) ?? defaults.startInterval,
  };
  return command === undefined ? undefined : { command, ...config };
}

/** `["CMD", …]`, `["CMD-SHELL", "…"]`, `["NONE"]`. */
function imageCommand(
  image: Healthcheck | undefined,
  shell: readonly string[],
): readonly string[] | undefined {
  const [kind, ...words] = image?.Test ?? [];
  if (kind === 'CMD' && words.length > 0) return words;
  if (kind === 'CMD-SHELL' && words.length > 0) return [...shell, words.join(' ')];
  return undefined;
}
