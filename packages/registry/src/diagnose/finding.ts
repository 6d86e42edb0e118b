/** `ok`: works; `limited`: works with less; `missing`: does not work. */
export type Verdict = 'ok' | 'limited' | 'missing';

/** What was found out about one thing at one place. */
export interface Finding {
  /** Such as `certificate`. */
  readonly name: string;
  /** The registry or mirror, as `HOST[:PORT]`; undefined: about all of them. */
  readonly place?: string;
  readonly verdict: Verdict;
  readonly found: string;
  /** What to do about it, when the verdict is not `ok`. */
  readonly remedy?: string;
}

/** A finding whose place is added by whoever asked. */
export type LocalFinding = Omit<Finding, 'place'>;
