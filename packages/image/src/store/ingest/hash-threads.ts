import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { hashModule } from './hash-module.ts';
import type { HashFailure, HashReply, HashRequest } from './hash-task.ts';

/** Threads beyond that wait for the network and the disk, whatever the machine. */
const MOST_THREADS = 4;
/** How long threads stay when there is nothing to hash: blobs of an image follow one another. */
const IDLE_MS = 500;

/** One thread of the process, shared by all stores. */
export interface HashThread {
  /** Whether somebody else uses it, too. */
  readonly isShared: boolean;
  /** Asks the thread, and waits for the answer. Throws what the file system said, or why the thread ended. */
  ask(request: Exclude<HashRequest, { readonly type: 'forget' }>): Promise<HashReply>;
  /** Gives the thread back; it forgets the file. */
  release(id: number): void;
}

interface Thread extends HashThread {
  readonly worker: Worker;
  /** It hashes several files at once. */
  readonly hasLanes: boolean;
  users: number;
}

interface Waiting {
  resolve(reply: HashReply): void;
  reject(error: unknown): void;
}

const threads = new Set<Thread>();
let idle: NodeJS.Timeout | undefined;

/** Borrows the least used thread, or starts one while there are cores left. */
export function borrowHashThread(): HashThread {
  clearTimeout(idle);
  const [least] = [...threads].sort((a, b) => a.users - b.users);
  // Files are hashed together in one thread only, faster than in several.
  const most = least?.hasLanes === true ? 1 : Math.min(availableParallelism(), MOST_THREADS);
  const thread = least !== undefined && (least.users === 0 || threads.size >= most) ? least : startThread();
  thread.users++;
  return thread;
}

/** Which exports of packages to load. The program's other options (`--eval`, `--input-type`, …) are not for a thread. */
const conditions: readonly string[] = process.execArgv.filter((option) =>
  /^(--conditions=|-C=)/.test(option),
);

function startThread(): Thread {
  const name = import.meta.url.endsWith('.ts') ? './hash-worker.ts' : './hash-worker.js';
  const module = hashModule();
  const worker = new Worker(new URL(name, import.meta.url), {
    name: 'oci-hash',
    workerData: module?.href,
    execArgv: [...conditions],
    // It holds one buffer; what V8 would otherwise reserve is memory of the whole process.
    resourceLimits: { maxYoungGenerationSizeMb: 2 },
  });
  const waiting = new Map<number, Waiting>();
  /** A thread holds the program only while somebody waits for it. */
  const settle = (id: number): Waiting | undefined => {
    const asked = waiting.get(id);
    waiting.delete(id);
    if (waiting.size === 0) worker.unref();
    return asked;
  };
  const thread: Thread = {
    worker,
    hasLanes: module !== undefined,
    users: 0,
    get isShared() {
      return thread.users > 1;
    },
    ask: (request) =>
      new Promise((resolve, reject) => {
        waiting.set(request.id, { resolve, reject });
        worker.ref();
        worker.postMessage(request);
      }),
    release(id) {
      const forget: HashRequest = { type: 'forget', id };
      worker.postMessage(forget);
      thread.users--;
      if ([...threads].every(({ users }) => users === 0)) idle = setTimeout(endThreads, IDLE_MS).unref();
    },
  };
  const end = (error: unknown): void => {
    threads.delete(thread);
    for (const [id, { reject }] of waiting) {
      settle(id);
      reject(error);
    }
  };
  worker.unref();
  worker.on('message', (reply: HashReply) => {
    const asked = settle(reply.id);
    if (reply.type === 'failed') asked?.reject(errorOf(reply.failure));
    else asked?.resolve(reply);
  });
  worker.once('error', end);
  worker.once('exit', () => end(new Error('the hashing thread ended')));
  threads.add(thread);
  return thread;
}

function endThreads(): void {
  for (const { worker } of threads) void worker.terminate();
  threads.clear();
}

function errorOf({ message, code, syscall }: HashFailure): Error {
  return Object.assign(new Error(message), code === undefined ? {} : { code, syscall });
}
