import type { FieldName, Section, StepTag } from './format.ts';

/** The value of a field: what the field's name promises. Lists stand for repeated fields. */
export type FieldValue = string | number | bigint | Uint8Array | readonly string[];

/** One step of a launch plan. */
export interface Step {
  readonly section: Section;
  readonly tag: StepTag;
  readonly fields: Readonly<Partial<Record<FieldName, FieldValue | undefined>>>;
  /** Completes the sentence "cannot …" when the step fails; it names the object concerned. */
  readonly purpose: string;
  /** Where in the configuration the step comes from. */
  readonly jsonPath?: string | undefined;
}

/** What a step is made from besides its section and tag. */
export interface StepDetails {
  readonly purpose: string;
  readonly jsonPath?: string | undefined;
  readonly fields?: Step['fields'];
}

/** Makes steps of one section. */
export type StepMaker = (tag: StepTag, details: StepDetails) => Step;

/** A maker of steps of a section. */
export function stepsOf(section: Section): StepMaker {
  return (tag, { purpose, jsonPath, fields = {} }) => ({ section, tag, purpose, jsonPath, fields });
}

/** Steps of the init itself, the most frequent kind. */
export const initStep: StepMaker = stepsOf('init');
