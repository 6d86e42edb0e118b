import { parseJson } from '@ocijs/image';
import { MAX_NODE_LOCK_BYTES } from '../../limits.ts';
import {
  constraintsOf,
  isRecord,
  optionalPeers,
  type PackageManifest,
  texts,
  without,
} from '../project/package-manifest.ts';
import { insideRoot, join, upwards } from '../project/paths.ts';
import {
  byName,
  type LockedDependency,
  type LockedPackage,
  lockInvalid,
  type NodeLock,
} from './node-lock.ts';

type Entry = Readonly<Record<string, unknown>>;

/**
 * Reads `package-lock.json` or `npm-shrinkwrap.json`, of version 2 or 3: ids are the places where packages are installed.
 *
 * @throws BuildError `ERR_OCI_NODE_LOCK_INVALID`
 * @see https://docs.npmjs.com/cli/v11/configuring-npm/package-lock-json
 */
export function parseNpmLock(bytes: Uint8Array, file: string): NodeLock {
  const entries = readEntries(bytes, file);
  const packages = new Map<string, LockedPackage>();
  const packageAt = (id: string): LockedPackage | undefined => {
    const known = packages.get(id);
    const entry = entries.get(id);
    if (known !== undefined || entry === undefined) return known;
    const made = lockedPackage(entries, id, entry);
    packages.set(id, made);
    return made;
  };
  let names: ReturnType<typeof byName> | undefined;
  return {
    manager: 'npm',
    file,
    members: [...entries.keys()].filter((id) => isMember(id) && id !== ''),
    project: (directory) => packageAt(directory === '.' ? '' : directory),
    package: packageAt,
    named: (name) => {
      names ??= byName([...entries.keys()].flatMap((id) => packageAt(id) ?? []));
      return names.get(name) ?? [];
    },
    drift: (directory, manifest) => driftOf(entries.get(directory === '.' ? '' : directory) ?? {}, manifest),
  };
}

function readEntries(bytes: Uint8Array, file: string): ReadonlyMap<string, Entry> {
  let document: unknown;
  try {
    document = parseJson(bytes, { limit: MAX_NODE_LOCK_BYTES, what: file });
  } catch (cause) {
    throw lockInvalid(file, 'is no JSON', { cause });
  }
  const { lockfileVersion, packages } = isRecord(document) ? document : {};
  if (lockfileVersion !== 2 && lockfileVersion !== 3)
    throw lockInvalid(file, `is of version ${JSON.stringify(lockfileVersion)}, which is not understood`, {
      hint: 'npm 7 and later write version 2 or 3: `npm install --package-lock-only`',
    });
  if (!isRecord(packages)) throw lockInvalid(file, 'has no packages');
  return new Map(Object.entries(packages).map(([id, entry]) => [id, isRecord(entry) ? entry : {}]));
}

/** A project of the repository, and not what is installed. */
function isMember(id: string): boolean {
  return !id.split('/').includes('node_modules') && insideRoot('.', id) !== undefined;
}

function lockedPackage(entries: ReadonlyMap<string, Entry>, id: string, entry: Entry): LockedPackage {
  const optional = texts(entry['optionalDependencies']);
  const peers = without(texts(entry['peerDependencies']), optionalPeers(entry['peerDependenciesMeta']));
  const needed = new Map([...peers, ...texts(entry['dependencies'])]);
  const dependency = (name: string, isOptional: boolean): readonly LockedDependency[] => {
    const found = placeOf(entries, id === '' ? '.' : id, name);
    // npm leaves out peers when it is told to (`legacy-peer-deps`).
    if (found === undefined && peers.has(name)) return [];
    return [{ name, id: found, isOptional }];
  };
  const { name, version, resolved } = entry;
  const isRegistry = resolved === undefined || (typeof resolved === 'string' && /^https?:/.test(resolved));
  return {
    id,
    name:
      typeof name === 'string'
        ? name
        : id.slice(id.lastIndexOf('node_modules/')).replace(/^node_modules\//, '') || undefined,
    version: isMember(id) || typeof version !== 'string' ? undefined : version,
    origin: isRegistry ? 'registry' : 'other',
    directory: isMember(id) ? id || '.' : undefined,
    constraints: constraintsOf(entry),
    dependencies: [
      ...[...without(needed, optional).keys()].flatMap((one) => dependency(one, false)),
      ...[...optional.keys()].flatMap((one) => dependency(one, true)),
    ],
  };
}

/** The entry that Node would find from a package, and of a link what it leads to. */
function placeOf(entries: ReadonlyMap<string, Entry>, from: string, name: string): string | undefined {
  for (const directory of upwards(from)) {
    const id = join(directory, `node_modules/${name}`);
    const entry = entries.get(id);
    if (entry === undefined) continue;
    return entry['link'] === true && typeof entry['resolved'] === 'string' ? entry['resolved'] : id;
  }
  return undefined;
}

const fields = ['dependencies', 'optionalDependencies', 'devDependencies'] as const;

function driftOf(entry: Entry, manifest: PackageManifest): string | undefined {
  const optional = texts(entry['optionalDependencies']);
  for (const field of fields) {
    const locked = field === 'dependencies' ? without(texts(entry[field]), optional) : texts(entry[field]);
    const asked = manifest[field];
    for (const [name, range] of asked)
      if (locked.get(name) !== range)
        return `package.json asks for ${name}@${range}, the lock file has ${locked.get(name) ?? 'none'}`;
    for (const name of locked.keys())
      if (!asked.has(name)) return `the lock file has ${name} in ${field}, package.json does not`;
  }
  return undefined;
}
