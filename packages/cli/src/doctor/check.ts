/** `ok`: works; `limited`: works with less; `missing`: something that matters does not work. */
export type Verdict = 'ok' | 'limited' | 'missing';

/** What `oci doctor` found out about one thing. */
export interface Finding {
  readonly name: string;
  /** The registry or mirror that it is about. */
  readonly place?: string;
  readonly verdict: Verdict;
  /** What is there. */
  readonly found: string;
  /** What to do about it, when the verdict is not `ok`. */
  readonly remedy?: string;
}

/** Where checks look; a test can point them elsewhere. */
export interface Host {
  readonly isRoot: boolean;
  /** Contents of a small file; undefined when it is missing or may not be read. */
  read(path: string): Promise<string | undefined>;
  /** The full path of a program. */
  program(name: string): Promise<string | undefined>;
  /** True when a command ends with success. */
  succeeds(command: string, args: readonly string[]): Promise<boolean>;
  /** The type number of the file system at a path. */
  fileSystemType(path: string): Promise<number | undefined>;
}

/** Looks at one thing. */
export type Check = (host: Host) => Promise<Finding>;
