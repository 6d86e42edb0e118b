import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('./victim.ts', import.meta.url));

/** A process that does one task. */
export interface Victim {
  readonly child: ChildProcess;
  /** Resolves when it has loaded everything and begins. */
  readonly ready: Promise<void>;
  /** What it said after that; rejects when it ended before. */
  readonly result: Promise<unknown>;
  readonly ended: Promise<{
    readonly status: number | null;
    readonly killed: boolean;
    readonly stderr: string;
  }>;
}

/** Starts a task of `victim.ts` on a store; compiled code is kept with the tests' own, or beside it. */
export function startVictim(task: string, store: string, ...args: readonly string[]): Victim {
  const child = spawn(process.execPath, ['--conditions=source', program, task, store, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { NODE_COMPILE_CACHE: join(dirname(store), 'compiled'), ...process.env },
  });
  let stderr = '';
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => {
    const line = await lines.next();
    if (line.done === true) throw new Error(`${task} ended: ${stderr}`);
    return JSON.parse(line.value) as unknown;
  };
  const ready = next().then(() => undefined);
  const result = ready.then(next);
  // Whoever is killed says nothing; the one who waits for it hears of that.
  ready.catch(() => undefined);
  result.catch(() => undefined);
  const ended = async () => {
    const [status, signal] = (await once(child, 'close')) as [number | null, string | null];
    return { status, killed: signal === 'SIGKILL', stderr };
  };
  return { child, ready, result, ended: ended() };
}

/** Runs a task to its end and returns what it said. */
export async function run(task: string, store: string, ...args: readonly string[]): Promise<unknown> {
  const victim = startVictim(task, store, ...args);
  const said = await victim.result;
  const { status, stderr } = await victim.ended;
  if (status !== 0) throw new Error(`${task}: exit ${status}\n${stderr}`);
  return said;
}

/** Milliseconds that a task takes from when it begins. */
export async function duration(task: string, store: string, ...args: readonly string[]): Promise<number> {
  const victim = startVictim(task, store, ...args);
  await victim.ready;
  const began = performance.now();
  await victim.result;
  const took = performance.now() - began;
  await victim.ended;
  return took;
}

/** Kills a process at a random moment after it began; false when it was faster. */
export type Killer = (victim: Victim) => Promise<boolean>;

/** A killer that learns how fast its victims are, from a first guess in milliseconds. */
export function createKiller(guess: number): Killer {
  let window = guess;
  return async (victim) => {
    await victim.ready;
    const began = performance.now();
    const wait = Math.random() * window;
    const early = await Promise.race([
      sleep(wait).then(() => undefined),
      victim.result.then(() => performance.now() - began),
    ]);
    if (early !== undefined) window = Math.min(window, early);
    victim.child.kill('SIGKILL');
    return (await victim.ended).killed && early === undefined;
  };
}
