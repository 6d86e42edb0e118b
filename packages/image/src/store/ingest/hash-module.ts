/** Computes SHA-256 of several messages at once, whose blocks lie beside each other in memory. */
export interface Sha256Lanes {
  /** How many messages. */
  readonly count: number;
  /** The memory of each message, in which its next blocks lie from the beginning. */
  readonly data: readonly Uint8Array[];
  /** The state of each message: eight words. */
  readonly states: readonly Uint32Array[];
  /** The state that a message begins with. */
  readonly initialState: Readonly<Uint32Array>;
  /** Adds so many blocks of 64 bytes to those messages; the states of the others stay as they are. */
  compress(messages: readonly number[], blocks: number): void;
}

/** A module for {@link accelerateHashing}. */
export interface HashModule {
  /** Undefined where it is of no use. */
  createSha256Lanes(): Sha256Lanes | undefined;
}

let find: (() => URL | undefined) | undefined;

/**
 * Says which module hashes several large blobs at once, in the threads that all stores of this process share: a
 * {@link HashModule}, such as `sha256Module` of `@ocijs/linux/sha256` finds on processors without SHA instructions. It is looked for
 * when the first thread starts. Without one, or where it gives undefined, OpenSSL hashes blobs one after the other.
 */
export function accelerateHashing(module: () => URL | undefined): void {
  find = module;
}

/** The module to load. */
export function hashModule(): URL | undefined {
  return find?.();
}
