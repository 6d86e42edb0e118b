import { createHash } from 'node:crypto';

/** Numbers that look random and are the same for the same text. */
export interface Random {
  /** At least 0 and less than 1. */
  next(): number;
  /** A whole number of at least `from` and less than `to`. */
  between(from: number, to: number): number;
  /** One of several. */
  pick<T>(choices: readonly [T, ...T[]]): T;
}

/** Makes a source of numbers (mulberry32, seeded by a digest of the text). */
export function createRandom(text: string): Random {
  let state = createHash('sha256').update(text).digest().readUInt32LE();
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const between = (from: number, to: number): number => from + Math.floor(next() * (to - from));
  return { next, between, pick: (choices) => choices[between(0, choices.length)] ?? choices[0] };
}
