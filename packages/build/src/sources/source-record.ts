import { BuildError } from '../errors.ts';
import { withoutCredentials } from '../without-credentials.ts';

/** Something from outside that a build was made from, and what it was at that time. */
export interface BuildSource {
  readonly type: 'image' | 'http' | 'git';
  /** As the Dockerfile names it; without user and password. */
  readonly name: string;
  /** Of an image. */
  readonly platform?: string;
  /** Of the manifest or the file; of a repository, the commit. */
  readonly digest: string;
}

/** Collects the sources of a build. */
export interface SourceRecord {
  /** Throws `ERR_OCI_BUILD_LOCK_DRIFT` when the sources are locked and this is another one. */
  note(source: BuildSource): void;
  /** In the order of types, names and platforms. */
  list(): readonly BuildSource[];
}

/** Starts to collect. With `locked`, nothing else is let in. */
export function createSourceRecord(locked?: readonly BuildSource[]): SourceRecord {
  const known = locked === undefined ? undefined : new Map(locked.map((source) => [keyOf(source), source]));
  const noted = new Map<string, BuildSource>();
  return {
    note(given) {
      const source = { ...given, name: withoutCredentials(given.name) };
      if (known !== undefined) checkLocked(source, known.get(keyOf(source)));
      noted.set(keyOf(source), source);
    },
    list: () => sortSources([...noted.values()]),
  };
}

/** The same source at two times has the same key. */
export function keyOf({ type, name, platform = '' }: BuildSource): string {
  return JSON.stringify([type, name, platform]);
}

/** In the order of types, names and platforms. */
export function sortSources(sources: readonly BuildSource[]): readonly BuildSource[] {
  return sources.toSorted((a, b) => {
    const [left, right] = [keyOf(a), keyOf(b)];
    return left < right ? -1 : left > right ? 1 : 0;
  });
}

function checkLocked(source: BuildSource, locked: BuildSource | undefined): void {
  if (locked?.digest === source.digest) return;
  throw new BuildError(
    'ERR_OCI_BUILD_LOCK_DRIFT',
    locked === undefined
      ? `${source.name} is not in the lock file`
      : `${source.name} is not what the lock file says`,
    {
      ...(locked === undefined ? {} : { expected: locked.digest }),
      actual: source.digest,
      hint: 'look at what has changed; `oci build --lock` takes it over',
    },
  );
}
