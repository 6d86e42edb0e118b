import type { PackageManifest, PlatformConstraints } from '../project/package-manifest.ts';
import { insideRoot } from '../project/paths.ts';
import {
  allDependencies,
  byName,
  type LockedDependency,
  type LockedPackage,
  type NodeLock,
  noConstraints,
} from './node-lock.ts';

/** A package as `yarn.lock` has it, in either form. */
export interface YarnEntry extends Pick<LockedPackage, 'id' | 'name' | 'version' | 'origin' | 'directory'> {
  readonly constraints?: PlatformConstraints;
  /** Ranges by name. */
  readonly dependencies: ReadonlyMap<string, string>;
  /** Which of them need not be there. */
  readonly optional: ReadonlySet<string>;
}

/** The lock of entries by what asked for them (`name@range`). */
export function createYarnLock(
  entries: ReadonlyMap<string, YarnEntry>,
  {
    file,
    root,
    members,
  }: { readonly file: string; readonly root: PackageManifest; readonly members: ReadonlyMap<string, string> },
): NodeLock {
  const memberId = (directory: string): string => `workspace:${directory}`;
  const memberOf = (name: string): string | undefined => {
    const directory = members.get(name);
    return directory === undefined ? undefined : memberId(directory);
  };

  /** The entry for a range; the repository's own project when there is none; open when the ranges of the name are overridden. */
  function idOf(name: string, range: string, directory = '.'): string | undefined {
    // A link into the repository is not in the file of yarn 1.
    const link = /^(?:link|portal):(.*?)(?:::.*)?$/.exec(range)?.[1];
    const place = link === undefined ? undefined : insideRoot(directory, link);
    if (place !== undefined) return memberId(place);
    const entry = entries.get(`${name}@${range}`) ?? entries.get(`${name}@npm:${range}`);
    if (entry?.directory !== undefined) return memberId(entry.directory);
    return entry?.id ?? memberOf(name);
  }

  const dependencies = (
    ranges: ReadonlyMap<string, string>,
    {
      optional,
      directory,
    }: { readonly optional: Pick<ReadonlySet<string>, 'has'>; readonly directory?: string },
  ): readonly LockedDependency[] =>
    [...ranges].map(([name, range]) => ({
      name,
      id: idOf(name, range, directory),
      isOptional: optional.has(name),
    }));

  const packages = new Map<string, LockedPackage>();
  for (const entry of entries.values())
    if (entry.directory === undefined && !packages.has(entry.id))
      packages.set(entry.id, {
        ...entry,
        constraints: entry.constraints ?? noConstraints,
        dependencies: dependencies(entry.dependencies, { optional: entry.optional }),
      });
  const names = byName(packages.values());
  const directories = new Set(members.values());

  return {
    manager: 'yarn',
    file,
    members: [...directories].filter((directory) => directory !== '.'),
    project: (directory, manifest) =>
      directory !== '.' && !directories.has(directory)
        ? undefined
        : {
            id: memberId(directory),
            name: manifest.name,
            version: undefined,
            origin: 'other',
            directory,
            constraints: noConstraints,
            dependencies: dependencies(
              new Map([...manifest.dependencies, ...manifest.optionalDependencies]),
              { optional: manifest.optionalDependencies, directory },
            ),
          },
    package: (id) =>
      packages.get(id) ??
      (id.startsWith('workspace:')
        ? {
            id,
            name: undefined,
            version: undefined,
            origin: 'other',
            directory: id.slice('workspace:'.length),
            constraints: noConstraints,
            dependencies: [],
          }
        : undefined),
    named: (name) => names.get(name) ?? [],
    drift: (directory, manifest) => {
      for (const [name, range] of allDependencies(manifest)) {
        if (idOf(name, range, directory) !== undefined) continue;
        const isOverridden = root.resolutions.some(
          (key) => key === name || key.endsWith(`/${name}`) || key.startsWith(`${name}@`),
        );
        // Other protocols are written in other words (`patch:`, `catalog:`); what is installed decides.
        const isPlain = !/^[a-z]+:/.test(range);
        if (names.has(name) && (isOverridden || !isPlain)) continue;
        return `package.json asks for ${name}@${range}, the lock file has ${
          names
            .get(name)
            ?.map(({ version }) => version)
            .join(', ') ?? 'none'
        }`;
      }
      return undefined;
    },
  };
}
