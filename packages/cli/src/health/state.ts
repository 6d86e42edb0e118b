import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CliError } from '../errors.ts';
import { codeOf } from '../exit-codes.ts';

export type HealthStatus = 'starting' | 'healthy' | 'unhealthy';

/** One check. */
export interface HealthProbe {
  /** RFC 3339. */
  readonly start: string;
  readonly end: string;
  /** -1 when it took too long or could not be run. */
  readonly exitCode: number;
  /** The first {@link outputLimit} bytes of what it wrote. */
  readonly output: string;
}

/** How a container is, in `health.json` of its directory. */
export interface HealthState {
  readonly status: HealthStatus;
  /** Failures since the last success. */
  readonly failingStreak: number;
  /** The last checks, the newest last. */
  readonly log: readonly HealthProbe[];
}

/** How many checks are kept, and how many bytes of each, as Docker does. */
export const probeLimit = 5;
export const outputLimit = 4096;

const fileName = 'health.json';

/** Largest state that is read, in bytes. */
const sizeLimit = 256 * 1024;

/** A container that has not been checked yet. */
export const untested: HealthState = { status: 'starting', failingStreak: 0, log: [] };

/**
 * The state after one more check (Docker's rules): a success makes a container healthy; as many failures in a row as
 * `retries` make it unhealthy; those of the start period do not count before the first success.
 */
export function afterProbe(
  before: HealthState,
  probe: HealthProbe,
  { retries, isStarting }: { readonly retries: number; readonly isStarting: boolean },
): HealthState {
  const log = [...before.log, probe].slice(-probeLimit);
  if (probe.exitCode === 0) return { status: 'healthy', failingStreak: 0, log };
  if (before.status === 'starting' && isStarting) return { ...before, log };
  const failingStreak = before.failingStreak + 1;
  return { status: failingStreak >= retries ? 'unhealthy' : before.status, failingStreak, log };
}

/** Replaces the state in one step. */
export async function writeHealth(directory: string, state: HealthState): Promise<void> {
  const temporary = join(directory, `.${fileName}`);
  await writeFile(temporary, JSON.stringify(state), { mode: 0o600 });
  await rename(temporary, join(directory, fileName));
}

/** How a container is; undefined for one that is not checked. Throws ERR_OCI_CONTAINER_INVALID. */
export async function readHealth(directory: string): Promise<HealthState | undefined> {
  const path = join(directory, fileName);
  try {
    const { size } = await stat(path);
    const state = size > sizeLimit ? undefined : (JSON.parse(await readFile(path, 'utf8')) as unknown);
    if (isState(state)) return state;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new CliError('ERR_OCI_CONTAINER_INVALID', `${path} does not say how a container is`);
}

function isState(value: unknown): value is HealthState {
  if (typeof value !== 'object' || value === null) return false;
  const { status, failingStreak, log } = value as Partial<Record<keyof HealthState, unknown>>;
  return typeof status === 'string' && typeof failingStreak === 'number' && Array.isArray(log);
}
