import type { DirectoryToFill } from '../rootfs/overlay/copy-files.ts';

/** Two numbers that threads share: the next directory, and who may still begin. */
export type CopyQueue = SharedArrayBuffer;

const next = 0;
const state = 1;
const states = { open: 0, joined: 1, closed: 2 } as const;

/** Nobody has taken anything from it. */
export function createCopyQueue(): CopyQueue {
  return new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT);
}

/** The directories that no other thread takes. */
export function* takeDirectories(
  queue: CopyQueue,
  directories: readonly DirectoryToFill[],
): Generator<DirectoryToFill> {
  const numbers = new Int32Array(queue);
  for (;;) {
    const directory = directories[Atomics.add(numbers, next, 1)];
    if (directory === undefined) return;
    yield directory;
  }
}

/** Asked by a second thread before it takes any: false when it came too late. */
export function joinQueue(queue: CopyQueue): boolean {
  return Atomics.compareExchange(new Int32Array(queue), state, states.open, states.joined) === states.open;
}

/** Tells the first thread, when it is done, whether it has to wait for the second; if not, that one comes too late. */
export function closeQueue(queue: CopyQueue): boolean {
  return Atomics.compareExchange(new Int32Array(queue), state, states.open, states.closed) === states.joined;
}
