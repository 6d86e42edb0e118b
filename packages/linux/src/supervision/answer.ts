import { errnoOf } from '../library.ts';

/**
 * What the kernel answered: a result from 0 on, or an errno negated. The calls of this directory do not throw: they are made on
 * behalf of another process, which is given the answer.
 */
export type Answer = number;

/** The answer of a libc function, which returns -1 for a failure. */
export function answerOf(result: number): Answer {
  return result >= 0 ? result : -errnoOf();
}
