import { ringSlots, slotSize } from '../limits.ts';

/** The memory of a ring, shared by the threads that work on one layer. */
export interface RingMemory {
  readonly control: SharedArrayBuffer;
  readonly slots: SharedArrayBuffer;
}

/** Who takes content out of a ring; each of them gets all of it. */
export type RingReader = 'hasher' | 'writer';

/** Places in the control words; behind them are the lengths of the slots. */
const word = {
  /** How many slots have been filled. */
  filled: 0,
  hasher: 1,
  writer: 2,
  /** 0 while there is more to come. */
  end: 3,
  /** 1 when nobody needs more content. */
  unwanted: 4,
  /** Change with everything that readers, and the producer, may wait for. */
  readerNews: 5,
  producerNews: 6,
  lengths: 8,
} as const;

const ends = { complete: 1, failed: 2 } as const;

/** Makes the memory for one layer. */
export function createRing(): RingMemory {
  return {
    control: new SharedArrayBuffer(4 * (word.lengths + ringSlots)),
    slots: new SharedArrayBuffer(ringSlots * slotSize),
  };
}

/** Wakes everyone who waits at a ring, to find out that they are to stop. */
export function wakeRing({ control }: RingMemory): void {
  const words = new Int32Array(control);
  announce(words, word.readerNews);
  announce(words, word.producerNews);
}

/** Nobody needs more of the content. */
export class ContentUnwantedError extends Error {
  override readonly name = 'ContentUnwantedError';
}

/** The end of a ring that content is put into. */
export interface RingProducer {
  /** Memory for the next content; blocks the thread until there is some. Throws {@link ContentUnwantedError}. */
  room(): Uint8Array;
  /** Passes on what was put at the beginning of the room. */
  filled(bytes: number): void;
  /** Copies content into the ring, without blocking the thread. Throws {@link ContentUnwantedError}. */
  write(content: Uint8Array): Promise<void>;
  /** Tells that there is no more: all of it came, or getting it failed. */
  end(how: 'complete' | 'failed'): void;
}

/** What both ends need besides the memory. */
export interface RingOptions {
  /** Called after each wait; throws to stop. */
  readonly checkStop: () => void;
}

/** Opens the end that the one producer of a ring has. */
export function produceRing({ control, slots }: RingMemory, { checkStop }: RingOptions): RingProducer {
  const words = new Int32Array(control);
  let next = 0;

  /** The next free slot, or what to wait for until there may be one. */
  function freeSlot(): { readonly slot: Uint8Array } | { readonly news: number } {
    const news = Atomics.load(words, word.producerNews);
    checkStop();
    if (Atomics.load(words, word.unwanted) === 1) throw new ContentUnwantedError();
    const taken = Math.min(Atomics.load(words, word.hasher), Atomics.load(words, word.writer));
    if (next - taken >= ringSlots) return { news };
    return { slot: new Uint8Array(slots, (next % ringSlots) * slotSize, slotSize) };
  }

  function room(): Uint8Array {
    for (;;) {
      const free = freeSlot();
      if ('slot' in free) return free.slot;
      Atomics.wait(words, word.producerNews, free.news);
    }
  }

  function filled(bytes: number): void {
    words[word.lengths + (next % ringSlots)] = bytes;
    next += 1;
    Atomics.store(words, word.filled, next);
    announce(words, word.readerNews);
  }

  async function write(content: Uint8Array): Promise<void> {
    for (let rest = content; rest.length > 0; ) {
      const free = freeSlot();
      if ('news' in free) {
        await Atomics.waitAsync(words, word.producerNews, free.news).value;
        continue;
      }
      const part = rest.subarray(0, slotSize);
      free.slot.set(part);
      filled(part.length);
      rest = rest.subarray(part.length);
    }
  }

  function end(how: 'complete' | 'failed'): void {
    Atomics.store(words, word.end, ends[how]);
    announce(words, word.readerNews);
  }

  return { room, filled, write, end };
}

/** The end of a ring that content is taken from. */
export interface RingConsumer {
  /**
   * The next content, in memory that is valid until the next call; blocks the thread until there is some.
   * Undefined at the end.
   */
  next(): Uint8Array | undefined;
  /** After the end: whether all of the content came. */
  readonly isComplete: boolean;
  /** Tells everybody that no more content is needed. */
  abandon(): void;
}

/** Opens the end that one of the readers of a ring has. */
export function consumeRing(
  { control, slots }: RingMemory,
  { reader, checkStop }: RingOptions & { readonly reader: RingReader },
): RingConsumer {
  const words = new Int32Array(control);
  let taken = 0;
  let holds = false;

  function next(): Uint8Array | undefined {
    if (holds) release();
    for (;;) {
      const news = Atomics.load(words, word.readerNews);
      checkStop();
      if (Atomics.load(words, word.unwanted) === 1) return undefined;
      const end = Atomics.load(words, word.end);
      if (Atomics.load(words, word.filled) > taken) break;
      if (end !== 0) return undefined;
      Atomics.wait(words, word.readerNews, news);
    }
    holds = true;
    const slot = taken % ringSlots;
    return new Uint8Array(slots, slot * slotSize, words[word.lengths + slot]);
  }

  function release(): void {
    holds = false;
    taken += 1;
    Atomics.store(words, word[reader], taken);
    announce(words, word.producerNews);
  }

  return {
    next,
    get isComplete() {
      return Atomics.load(words, word.end) === ends.complete && Atomics.load(words, word.unwanted) === 0;
    },
    abandon() {
      Atomics.store(words, word.unwanted, 1);
      announce(words, word.producerNews);
      announce(words, word.readerNews);
    },
  };
}

function announce(words: Int32Array, news: number): void {
  Atomics.add(words, news, 1);
  Atomics.notify(words, news);
}
