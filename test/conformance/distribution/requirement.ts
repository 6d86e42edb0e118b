import type { Subject } from './subject.ts';

/** One thing that the distribution specification asks of a registry. */
export interface Requirement {
  /** Stable, for lists of known differences. */
  readonly id: string;
  /** The headings under which it stands in `spec.md`. */
  readonly section: string;
  readonly level: 'MUST' | 'SHOULD' | 'MAY';
  /** The version that asks for it first, or asks for as much: 1.1.1, or the main branch after it. */
  readonly since: '1.1.1' | 'main';
  /** What is asked, in our words. */
  readonly title: string;
  /** Throws an AssertionError when it is not so, {@link Unsupported} when the registry does not offer it and need not. */
  check(subject: Subject): Promise<void>;
}

/** The registry does not offer something that is left to it. */
export class Unsupported extends Error {}

/** What a check found. */
export type Outcome =
  | { readonly result: 'met' }
  | { readonly result: 'failed' | 'unsupported'; readonly reason: string };

/** Checks one requirement; an error that is no finding, such as a lost connection, counts as a failure too. */
export async function outcomeOf(requirement: Requirement, subject: Subject): Promise<Outcome> {
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

/** Fills in the section that several requirements share. */
export function inSection(
  section: string,
  requirements: readonly Omit<Requirement, 'section'>[],
): readonly Requirement[] {
  return requirements.map((requirement) => ({ ...requirement, section }));
}
