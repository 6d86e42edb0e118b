import { RegistryError } from '../errors.ts';
import { parseToml, type TomlTable, type TomlValue } from './toml.ts';

/** Another place where a registry's content can be had. */
export interface Mirror {
  /** `HOST[:PORT][/PATH]`, which takes the place of the matched prefix. */
  readonly location: string;
  /** Accept any certificate, and plain HTTP. */
  readonly insecure: boolean;
  /** For which references it is asked. */
  readonly pullFrom: 'all' | 'digest-only' | 'tag-only';
}

/** One `[[registry]]` of a registries.conf. */
export interface RegistryEntry {
  /** `HOST[:PORT][/PATH]`, or `*.DOMAIN`. */
  readonly prefix: string;
  /** What takes the place of the prefix; empty: nothing, the name stays. */
  readonly location: string;
  readonly blocked: boolean;
  readonly insecure: boolean;
  readonly mirrors: readonly Mirror[];
}

/** What of a registries.conf matters here. */
export interface RegistriesConf {
  readonly registries: readonly RegistryEntry[];
  /** Helpers to ask for credentials, in order; `containers-auth.json` stands for the files. Undefined: nothing is said. */
  readonly credentialHelpers: readonly string[] | undefined;
}

/**
 * Reads a registries.conf (containers-registries.conf(5)), of version 2 or 1. What it says of short names is not read:
 * they are completed as Docker does, so that a name means the same on every machine. Throws
 * ERR_OCI_REGISTRY_CONFIG_INVALID.
 */
export function parseRegistriesConf(text: string, path: string): RegistriesConf {
  const root = parseToml(text, path);
  const file = { path };
  const tables = arrayOfTables(root.get('registry'), { ...file, key: 'registry' });
  const old = root.get('registries');
  if (old !== undefined && tables.length > 0)
    throw invalid(path, 'mixes [[registry]] with the old [registries]');
  const entries =
    old === undefined ? tables.map((table) => readEntry(table, file)) : readOldEntries(old, file);
  checkConflicts(entries, path);
  return { registries: entries, credentialHelpers: readHelpers(root.get('credential-helpers'), path) };
}

function readHelpers(value: TomlValue | undefined, path: string): readonly string[] | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) throw invalid(path, 'has no list at credential-helpers');
  const names = value.map((name: TomlValue) => {
    if (typeof name === 'string') return name;
    throw invalid(path, 'has something else than text in credential-helpers');
  });
  return names.length === 0 ? undefined : names;
}

interface File {
  readonly path: string;
}

function readEntry(table: TomlTable, { path }: File): RegistryEntry {
  const place = (key: string): Place => ({ path, key: `registry.${key}` });
  const location = readLocation(table.get('location'), place('location'));
  const prefix = readLocation(table.get('prefix'), place('prefix')) || location;
  const isWildcard = prefix.startsWith('*.');
  if (prefix === '') throw invalid(path, 'has a registry with neither location nor prefix');
  if (isWildcard ? !/^\*\.[A-Za-z0-9.-]+$/.test(prefix) : prefix.includes('*')) {
    throw invalid(path, `has the prefix "${prefix}", but a wildcard has the form *.example.com`);
  }
  if (location === '' && !isWildcard) throw invalid(path, `has no location for the prefix "${prefix}"`);
  if (table.has('pull-from-mirror')) throw invalid(path, 'has pull-from-mirror outside of a mirror');
  const digestOnly = readFlag(table.get('mirror-by-digest-only'), place('mirror-by-digest-only'));
  const mirrors = arrayOfTables(table.get('mirror'), place('mirror')).map((mirror) =>
    readMirror(mirror, { path, digestOnly }),
  );
  const blocked = readFlag(table.get('blocked'), place('blocked'));
  const insecure = readFlag(table.get('insecure'), place('insecure'));
  return { prefix, location, blocked, insecure, mirrors };
}

function readMirror(table: TomlTable, { path, digestOnly }: File & { readonly digestOnly: boolean }): Mirror {
  const place = (key: string): Place => ({ path, key: `registry.mirror.${key}` });
  const location = readLocation(table.get('location'), place('location'));
  if (location === '') throw invalid(path, 'has a mirror without location');
  const insecure = readFlag(table.get('insecure'), place('insecure'));
  const wanted = table.get('pull-from-mirror') ?? '';
  if (wanted !== '' && digestOnly)
    throw invalid(path, 'has mirror-by-digest-only together with pull-from-mirror');
  if (wanted === '') return { location, insecure, pullFrom: digestOnly ? 'digest-only' : 'all' };
  if (wanted !== 'all' && wanted !== 'digest-only' && wanted !== 'tag-only') {
    throw invalid(path, 'has a pull-from-mirror that is none of all, digest-only, tag-only');
  }
  return { location, insecure, pullFrom: wanted };
}

/** Version 1 has lists of registries; what it blocks must stay blocked. */
function readOldEntries(old: TomlValue, { path }: File): readonly RegistryEntry[] {
  const lists = tableOf(old, { path, key: 'registries' });
  const names = (list: string): readonly string[] => {
    const table = lists.get(list);
    if (table === undefined) return [];
    const found = tableOf(table, { path, key: `registries.${list}` }).get('registries') ?? [];
    if (!Array.isArray(found)) throw invalid(path, `has no list at registries.${list}`);
    return found.map((name) => readLocation(name, { path, key: `registries.${list}` }));
  };
  const blocked = new Set(names('block'));
  const insecure = new Set(names('insecure'));
  names('search');
  return [...new Set([...blocked, ...insecure])].map((name) => ({
    prefix: name,
    location: name,
    blocked: blocked.has(name),
    insecure: insecure.has(name),
    mirrors: [],
  }));
}

/** Two entries that send requests to one place must agree how it is spoken to. */
function checkConflicts(entries: readonly RegistryEntry[], path: string): void {
  const known = new Map<string, RegistryEntry>();
  for (const entry of entries) {
    if (entry.location === '') continue;
    const other = known.get(entry.location) ?? entry;
    for (const key of ['insecure', 'blocked'] as const) {
      if (entry[key] !== other[key])
        throw invalid(path, `says two things about ${key} of "${entry.location}"`);
    }
    known.set(entry.location, entry);
  }
}

interface Place {
  readonly path: string;
  readonly key: string;
}

function readLocation(value: TomlValue | undefined, { path, key }: Place): string {
  if (value === undefined) return '';
  if (typeof value !== 'string') throw invalid(path, `has no text at ${key}`);
  if (value.includes('://')) throw invalid(path, `has a URL at ${key}, where HOST[:PORT][/PATH] is wanted`);
  const location = value.replace(/\/+$/, '');
  if (/[\s@?#\\]|\p{Cc}/u.test(location)) throw invalid(path, `has no HOST[:PORT][/PATH] at ${key}`);
  return location;
}

function readFlag(value: TomlValue | undefined, { path, key }: Place): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? false;
  throw invalid(path, `has neither true nor false at ${key}`);
}

function tableOf(value: TomlValue, { path, key }: Place): TomlTable {
  if (value instanceof Map) return value;
  throw invalid(path, `has no table at ${key}`);
}

function arrayOfTables(value: TomlValue | undefined, place: Place): readonly TomlTable[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw invalid(place.path, `has no array of tables at ${place.key}`);
  return value.map((item: TomlValue) => tableOf(item, place));
}

function invalid(path: string, reason: string): RegistryError {
  return new RegistryError('ERR_OCI_REGISTRY_CONFIG_INVALID', `configuration ${path} ${reason}`, {
    path,
    hint: 'correct the file: until then it is not known what it allows',
  });
}
