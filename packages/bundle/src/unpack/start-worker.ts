import { Worker } from 'node:worker_threads';
import { threadHeap } from '../limits.ts';
import type { LayerThreadData } from './layer-task.ts';

/** The programs of worker threads. */
export type WorkerName = 'layer-worker' | 'content-worker' | 'hash-worker' | 'copy-worker';

/** Which exports of packages to load. The program's other options (`--eval`, `--input-type`, …) are not for a thread. */
const conditions: readonly string[] = process.execArgv.filter((option) =>
  /^(--conditions=|-C=)/.test(option),
);

/** Starts a thread of a name; `stop` is how it is told to stop. */
export function startWorker(name: WorkerName, { stop }: LayerThreadData): Worker {
  const workerData: LayerThreadData = { stop };
  const file = new URL(import.meta.url.endsWith('.ts') ? `./${name}.ts` : `./${name}.js`, import.meta.url);
  return new Worker(file, {
    workerData,
    name: `oci-${name}`,
    execArgv: [...conditions],
    resourceLimits: threadHeap,
  });
}
