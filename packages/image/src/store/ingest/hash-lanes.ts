import { readSync } from 'node:fs';
import type { Digest } from '../../digest/digest.ts';
import type { Sha256Lanes } from './hash-module.ts';

const BLOCK_BYTES = 64;

/** A message that is being hashed: its state, and the bytes that were too few for a block. */
interface Message {
  readonly state: Uint32Array;
  rest: Uint8Array;
  length: number;
}

/** Bytes of a file that follow those before; or what is left of a message alone. */
interface Job {
  readonly message: Message;
  readonly fd: number;
  position: number;
  end: number;
  /** Bytes in the lane that are not hashed yet. */
  held: number;
  readonly done: (error?: unknown) => void;
}

/** Which bytes of which file; called with the failure of reading them, or with nothing. */
export interface HashRange {
  readonly fd: number;
  readonly start: number;
  readonly end: number;
  readonly done: (error?: unknown) => void;
}

/** Files that are hashed together. */
export interface LaneHashing {
  /** True while something waits to be hashed. */
  readonly isBusy: boolean;
  has(id: number): boolean;
  /** Adds bytes to a file's hash, in a later step. One question at a time for each file. */
  read(id: number, range: HashRange): void;
  /** The digest of what was read of a file, in a later step. */
  digest(id: number, done: (digest: Digest) => void): void;
  forget(id: number): void;
  /** Hashes some of what waits. */
  step(): void;
}

/** Hashes files by SHA-256 in the lanes of a vector, as many at once as wait for it. */
export function createLaneHashing(lanes: Sha256Lanes): LaneHashing {
  const messages = new Map<number, Message>();
  const waiting: Job[] = [];
  const running = new Map<number, Job>();
  const free = Array.from({ length: lanes.count }, (_, lane) => lane);

  const start = (job: Job): void => {
    const lane = free.pop();
    if (lane === undefined) throw new Error('no lane is free');
    lanes.states[lane]?.set(job.message.state);
    lanes.data[lane]?.set(job.message.rest);
    job.held = job.message.rest.length;
    running.set(lane, job);
  };
  const end = (lane: number, job: Job, error?: unknown): void => {
    job.message.state.set(lanes.states[lane] ?? []);
    job.message.rest = Uint8Array.from(lanes.data[lane]?.subarray(0, job.held) ?? []);
    running.delete(lane);
    free.push(lane);
    job.done(error);
  };
  const advance = (): void => {
    const blocksOf = ({ held }: Job): number => Math.floor(held / BLOCK_BYTES);
    const ready = [...running].filter(([, job]) => blocksOf(job) > 0);
    if (ready.length === 0) return;
    const blocks = Math.min(...ready.map(([, job]) => blocksOf(job)));
    lanes.compress(
      ready.map(([lane]) => lane),
      blocks,
    );
    for (const [lane, job] of ready) {
      lanes.data[lane]?.copyWithin(0, blocks * BLOCK_BYTES, job.held);
      job.held -= blocks * BLOCK_BYTES;
    }
  };

  return {
    get isBusy() {
      return waiting.length + running.size > 0;
    },
    has: (id) => messages.has(id),
    read(id, { fd, start: position, end: last, done }) {
      const message = messages.get(id) ?? newMessage(lanes.initialState);
      messages.set(id, message);
      waiting.push({ message, fd, position, end: last, held: 0, done });
    },
    digest(id, done) {
      const message = padded(messages.get(id) ?? newMessage(lanes.initialState));
      waiting.push({ message, fd: -1, position: 0, end: 0, held: 0, done: () => done(digestOf(message)) });
    },
    forget: (id) => void messages.delete(id),
    step() {
      for (const job of waiting.splice(0, free.length)) start(job);
      for (const [lane, job] of [...running]) {
        try {
          fill(job, lanes.data[lane] ?? new Uint8Array());
        } catch (error) {
          end(lane, job, error);
        }
      }
      advance();
      for (const [lane, job] of [...running]) {
        if (job.position >= job.end && job.held < BLOCK_BYTES) end(lane, job);
      }
    },
  };
}

/** Reads into a lane what there is room for, unless it has plenty. */
function fill(job: Job, data: Uint8Array): void {
  if (job.held > data.length / 2 || job.position >= job.end) return;
  const room = Math.min(data.length - job.held, job.end - job.position);
  const bytes = readSync(job.fd, data, job.held, room, job.position);
  job.held += bytes;
  job.position += bytes;
  job.message.length += bytes;
  // The file is shorter than what was written to it: somebody else cut it. The digest will say so.
  if (bytes === 0) job.end = job.position;
}

function newMessage(initialState: Readonly<Uint32Array>): Message {
  return { state: Uint32Array.from(initialState), rest: new Uint8Array(), length: 0 };
}

/** A second message: the first one with the end that FIPS 180-4 section 5.1.1 gives it. The first may go on. */
function padded({ state, rest, length }: Message): Message {
  const bytes = Buffer.alloc(rest.length + 9 > BLOCK_BYTES ? 2 * BLOCK_BYTES : BLOCK_BYTES);
  bytes.set(rest);
  bytes[rest.length] = 0x80;
  bytes.writeBigUInt64BE(BigInt(length) * 8n, bytes.length - 8);
  return { state: Uint32Array.from(state), rest: bytes, length };
}

function digestOf({ state }: Message): Digest {
  const hex = Array.from(state, (word) => word.toString(16).padStart(8, '0')).join('');
  return `sha256:${hex}` as Digest;
}
