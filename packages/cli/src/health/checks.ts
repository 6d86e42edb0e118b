import { setTimeout as delay } from 'node:timers/promises';
import type { Container } from '@ocijs/runtime';
import type { HealthConfig } from './config.ts';
import {
  afterProbe,
  type HealthProbe,
  type HealthState,
  outputLimit,
  untested,
  writeHealth,
} from './state.ts';

/** What is checked, and where its state is kept. */
export interface HealthChecksOptions {
  readonly config: HealthConfig;
  /** The container's directory. */
  readonly directory: string;
}

/** Checks under way; disposing ends them, a running check included. */
export interface HealthChecks extends AsyncDisposable {}

/**
 * Checks a running container again and again, each time one interval after the last check ended, until it is disposed of.
 * A paused container is not checked.
 */
export async function startHealthChecks(
  container: Pick<Container, 'exec' | 'state'>,
  { config, directory }: HealthChecksOptions,
): Promise<HealthChecks> {
  const controller = new AbortController();
  const { signal } = controller;
  const started = performance.now();
  const isStarting = (): boolean => performance.now() - started < config.startPeriod;
  await writeHealth(directory, untested);
  const run = async (): Promise<void> => {
    let state: HealthState = untested;
    for (;;) {
      const pause = state.status === 'starting' && isStarting() ? config.startInterval : config.interval;
      await delay(pause, undefined, { signal });
      if ((await container.state()).status !== 'running') continue;
      const result = await probe(container, config, signal);
      signal.throwIfAborted();
      state = afterProbe(state, result, { retries: config.retries, isStarting: isStarting() });
      await writeHealth(directory, state);
    }
  };
  // The container's end ends its checks: what fails then is no failure.
  const ended = run().catch((error: unknown) => {
    if (!signal.aborted) process.emitWarning(error as Error);
  });
  return {
    async [Symbol.asyncDispose]() {
      controller.abort();
      await ended;
    },
  };
}

/** Runs one check to its end, or to the end of its time. */
async function probe(
  container: Pick<Container, 'exec'>,
  { command, timeout }: HealthConfig,
  signal: AbortSignal,
): Promise<HealthProbe> {
  const start = new Date().toISOString();
  const finish = (exitCode: number, output: string): HealthProbe => ({
    start,
    end: new Date().toISOString(),
    exitCode,
    output,
  });
  const late = AbortSignal.timeout(timeout);
  const either = AbortSignal.any([signal, late]);
  try {
    await using running = await container.exec({
      args: command,
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: either,
    });
    const output = collect([running.stdout, running.stderr]);
    const { exitCode } = await running.wait({ signal: either });
    // What it left in the background may keep the pipes open.
    return finish(exitCode, await Promise.race([output(), abortion(either)]));
  } catch (error) {
    signal.throwIfAborted();
    if (late.aborted) return finish(-1, `health check took longer than ${timeout} ms`);
    return finish(-1, (error as Error).message);
  }
}

/** Rejects when a signal fires. */
function abortion(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** Keeps the beginning of what streams deliver; the result resolves at their ends. */
function collect(streams: readonly (NodeJS.ReadableStream | undefined)[]): () => Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  const ends = streams.map(async (stream) => {
    if (stream === undefined) return;
    for await (const chunk of stream) {
      const bytes = Buffer.from(chunk);
      if (length < outputLimit) chunks.push(bytes.subarray(0, outputLimit - length));
      length += bytes.length;
    }
  });
  const all = Promise.all(ends);
  // Told by the awaiting caller; without one, a stream that breaks off with its process is no news.
  all.catch(() => undefined);
  return async () => {
    await all;
    return Buffer.concat(chunks).toString('utf8');
  };
}
