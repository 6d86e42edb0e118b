import { timeouts } from '../limits.ts';
import type { Credentials } from '../options.ts';

interface Answer {
  readonly pending: Promise<Credentials | undefined>;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/**
 * What helpers answered in this process. Some need seconds for an answer, and every registry client would ask again. The
 * one place with such a memory: a helper belongs to the machine, not to a client.
 */
const answers = new Map<string, Answer>();

/** The remembered answer, or that of `ask`, which is remembered for five minutes unless it fails or there is none. */
export async function remembered(
  key: string,
  ask: () => Promise<Credentials | undefined>,
): Promise<Credentials | undefined> {
  const known = answers.get(key);
  if (known !== undefined && known.until > Date.now()) {
    // A failure may be the other caller's own, as when it was aborted.
    const shared = await known.pending.catch(() => undefined);
    if (shared !== undefined) return shared;
  }
  const answer = { pending: ask(), until: Date.now() + timeouts.helperAnswer };
  answers.set(key, answer);
  try {
    const found = await answer.pending;
    if (found === undefined) forget(key, answer);
    return found;
  } catch (error) {
    forget(key, answer);
    throw error;
  }
}

function forget(key: string, answer: Answer): void {
  if (answers.get(key) === answer) answers.delete(key);
}

/** Forgets everything: credentials have changed. */
export function forgetAnswers(): void {
  answers.clear();
}
