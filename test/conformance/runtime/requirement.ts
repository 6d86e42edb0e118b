import type { Subject } from './subject.ts';

/** One thing that is asked of a runtime. */
export interface Requirement {
  /** Stable, for lists of known differences. */
  readonly id: string;
  /** The file of the runtime specification and its heading; `runc` for what only runc's manual says. */
  readonly section: string;
  readonly level: 'MUST' | 'SHOULD' | 'runc';
  /** What is asked, in our words. */
  readonly title: string;
  /** Throws an AssertionError when it is not so, {@link Unsupported} when this machine cannot tell. */
  check(subject: Subject): Promise<void>;
}

/** This machine lacks what the requirement is about. */
export class Unsupported extends Error {}

/** What a check found. */
export type Outcome =
  | { readonly result: 'met' }
  | { readonly result: 'failed' | 'unsupported'; readonly reason: string };

/** Checks one requirement, and removes the containers that it made; any error counts as a failure. */
export async function outcomeOf(requirement: Requirement, runtime: Subject): Promise<Outcome> {
  await using subject = runtime.fork();
  try {
    await requirement.check(subject);
    return { result: 'met' };
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error))
      .replaceAll(/\s*\n\s*/g, ' ')
      .slice(0, 300);
    return { result: error instanceof Unsupported ? 'unsupported' : 'failed', reason };
  }
}

/** Fills in what several requirements share; a level that is not given is MUST. */
export function inSection(
  section: string,
  requirements: readonly (Omit<Requirement, 'section' | 'level'> & Partial<Pick<Requirement, 'level'>>)[],
): readonly Requirement[] {
  return requirements.map((requirement) => ({ level: 'MUST', ...requirement, section }));
}
