import { constraintsOf, isRecord, type PackageManifest, texts } from '../project/package-manifest.ts';
import { insideRoot } from '../project/paths.ts';
import {
  allDependencies,
  byName,
  type LockedDependency,
  type LockedPackage,
  lockInvalid,
  type NodeLock,
  noConstraints,
} from './node-lock.ts';
import { parseYaml } from './parse-yaml.ts';

type Entry = Readonly<Record<string, unknown>>;

/** The two forms that pnpm writes since version 8: what a package is and what it needs stand in one map, or in two. */
interface PnpmDocument {
  readonly importers: ReadonlyMap<string, Entry>;
  readonly packages: Entry;
  readonly snapshots: Entry;
  /** The key of a package from the name of a dependency and what the lock file writes beside it. */
  keyOf(name: string, reference: string): string;
  readonly overrides: ReadonlySet<string>;
}

/**
 * Reads `pnpm-lock.yaml` of version 6 or 9. Ids are the keys of packages with what they are installed together with.
 *
 * @throws BuildError `ERR_OCI_NODE_LOCK_INVALID`
 */
export function parsePnpmLock(bytes: Uint8Array, file: string): NodeLock {
  const document = readDocument(parseYaml(bytes, file), file);
  const packages = new Map<string, LockedPackage>();
  for (const id of Object.keys(document.snapshots)) packages.set(id, lockedPackage(document, id));
  for (const directory of document.importers.keys())
    packages.set(`link:${directory}`, projectOf(document, directory));
  const names = byName(packages.values());
  return {
    manager: 'pnpm',
    file,
    members: [...document.importers.keys()].filter((directory) => directory !== '.'),
    project: (directory) => packages.get(`link:${directory}`),
    package: (id) =>
      packages.get(id) ??
      (id.startsWith('link:') ? projectOf(document, id.slice('link:'.length)) : undefined),
    named: (name) => names.get(name) ?? [],
    drift: (directory, manifest) => driftOf(document, directory, manifest),
  };
}

function readDocument(document: Entry, file: string): PnpmDocument {
  const { lockfileVersion, importers, packages, snapshots } = document;
  const version = String(lockfileVersion).replace(/\..*$/, '');
  if (version !== '6' && version !== '9')
    throw lockInvalid(file, `is of version ${String(lockfileVersion)}, which is not understood`, {
      hint: 'pnpm 8 and later write version 6 or 9: `pnpm install --lockfile-only`',
    });
  const all = isRecord(packages) ? packages : {};
  const places = isRecord(importers)
    ? Object.entries(importers).filter(([directory]) => insideRoot('.', directory) === directory)
    : [['.', document] as const];
  const shared = {
    importers: new Map(places.map(([directory, entry]) => [directory, isRecord(entry) ? entry : {}])),
    packages: all,
    overrides: new Set(
      [...texts(document['overrides']).keys()].map((key) =>
        key.replace(/^.*>/, '').replace(/(?<=.)@.*$/, ''),
      ),
    ),
  };
  const known = (table: Entry, ...keys: readonly string[]): string =>
    keys.find((key) => Object.hasOwn(table, key)) ?? keys[0] ?? '';
  if (version === '6')
    return {
      ...shared,
      snapshots: all,
      keyOf: (name, reference) => known(all, `/${name}@${reference}`, reference),
    };
  const instances = isRecord(snapshots) ? snapshots : {};
  return {
    ...shared,
    snapshots: instances,
    keyOf: (name, reference) => known(instances, `${name}@${reference}`, reference),
  };
}

/** The key of a package without the peers in parentheses. */
function plainKey(id: string): string {
  const end = id.indexOf('(');
  return end < 0 ? id : id.slice(0, end);
}

function lockedPackage(document: PnpmDocument, id: string): LockedPackage {
  const instance = entryOf(document.snapshots, id);
  const entry = { ...entryOf(document.packages, plainKey(id)), ...entryOf(document.packages, id) };
  const resolution = entryOf(entry, 'resolution');
  const [, name, version] = /^\/?((?:@[^/]+\/)?[^/@:]+)@(\d[^/:]*)$/.exec(plainKey(id)) ?? [];
  const isRegistry = version !== undefined && resolution['type'] === undefined;
  return {
    id,
    name:
      typeof entry['name'] === 'string' ? entry['name'] : (name ?? /^((?:@[^/]+\/)?[^/@:]+)@/.exec(id)?.[1]),
    version: typeof entry['version'] === 'string' ? entry['version'] : version,
    origin: isRegistry ? 'registry' : 'other',
    directory: undefined,
    constraints: constraintsOf(entry),
    dependencies: dependenciesOf(document, instance, '.'),
  };
}

function projectOf(document: PnpmDocument, directory: string): LockedPackage {
  const importer = document.importers.get(directory) ?? {};
  return {
    id: `link:${directory}`,
    name: undefined,
    version: undefined,
    origin: 'other',
    directory,
    constraints: noConstraints,
    dependencies: dependenciesOf(document, importer, directory),
  };
}

function dependenciesOf(
  document: PnpmDocument,
  entry: Entry,
  directory: string,
): readonly LockedDependency[] {
  const read = (field: string, isOptional: boolean): readonly LockedDependency[] =>
    Object.entries(entryOf(entry, field)).map(([name, value]) => {
      const reference = String(isRecord(value) ? value['version'] : value);
      const link = reference.startsWith('link:') ? reference.slice('link:'.length) : undefined;
      const id =
        link === undefined ? document.keyOf(name, reference) : `link:${insideRoot(directory, link) ?? link}`;
      return { name, id, isOptional };
    });
  return [...read('dependencies', false), ...read('optionalDependencies', true)];
}

function driftOf(document: PnpmDocument, directory: string, manifest: PackageManifest): string | undefined {
  const importer = document.importers.get(directory) ?? {};
  const locked = new Map<string, string>();
  for (const field of ['devDependencies', 'dependencies', 'optionalDependencies'])
    for (const [name, value] of Object.entries(entryOf(importer, field)))
      locked.set(name, String(isRecord(value) ? value['specifier'] : ''));
  const asked = allDependencies(manifest);
  for (const [name, range] of asked)
    if (locked.get(name) !== range && !document.overrides.has(name))
      return `package.json asks for ${name}@${range}, the lock file has ${locked.get(name) ?? 'none'}`;
  // Peers are installed with a project (`auto-install-peers`).
  for (const name of locked.keys())
    if (!asked.has(name) && !manifest.peerDependencies.has(name))
      return `the lock file has ${name}, package.json does not`;
  return undefined;
}

function entryOf(table: Entry, key: string): Entry {
  const entry = Object.hasOwn(table, key) ? table[key] : undefined;
  return isRecord(entry) ? entry : {};
}
