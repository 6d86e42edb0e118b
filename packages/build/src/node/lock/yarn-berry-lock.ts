import {
  isRecord,
  type PackageManifest,
  type PlatformConstraints,
  texts,
} from '../project/package-manifest.ts';
import { insideRoot } from '../project/paths.ts';
import { lockInvalid, type NodeLock } from './node-lock.ts';
import { parseYaml } from './parse-yaml.ts';
import { createYarnLock, type YarnEntry } from './yarn-lock.ts';

/**
 * Reads `yarn.lock` of yarn 2 and later.
 *
 * @throws BuildError `ERR_OCI_NODE_LOCK_INVALID`
 */
export function parseYarnBerryLock(
  bytes: Uint8Array,
  file: string,
  { root }: { readonly root: PackageManifest },
): NodeLock {
  const document = parseYaml(bytes, file);
  if (!isRecord(document['__metadata'])) throw lockInvalid(file, 'has no __metadata');
  const entries = new Map<string, YarnEntry>();
  const members = new Map<string, string>();
  for (const [key, value] of Object.entries(document)) {
    if (key === '__metadata' || !isRecord(value)) continue;
    const entry = readEntry(key, value);
    if (entry.directory !== undefined && entry.name !== undefined) members.set(entry.name, entry.directory);
    for (const pattern of key.split(/,\s*/)) entries.set(pattern, entry);
  }
  return createYarnLock(entries, { file, root, members });
}

function readEntry(id: string, fields: Readonly<Record<string, unknown>>): YarnEntry {
  const { resolution, version, conditions, dependenciesMeta } = fields;
  const [, name, protocol = '', rest = ''] =
    /^((?:@[^/]+\/)?[^@]+)@([a-z+]+:)?(.*)$/s.exec(typeof resolution === 'string' ? resolution : id) ?? [];
  const isMember = protocol === 'workspace:' && insideRoot('.', rest) === rest;
  const meta = isRecord(dependenciesMeta) ? Object.entries(dependenciesMeta) : [];
  return {
    id,
    name,
    version: isMember || typeof version !== 'string' ? undefined : version,
    origin: protocol === 'npm:' ? 'registry' : 'other',
    directory: isMember ? rest : undefined,
    constraints: parseConditions(typeof conditions === 'string' ? conditions : ''),
    dependencies: withoutCompiler(texts(fields['dependencies'])),
    optional: new Set(
      meta.flatMap(([one, value]) => (isRecord(value) && String(value['optional']) === 'true' ? [one] : [])),
    ),
  };
}

/** yarn itself adds node-gyp to what is compiled when it is installed. */
function withoutCompiler(dependencies: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map(
    [...dependencies].filter(([name, range]) => name !== 'node-gyp' || !/^(?:npm:)?latest$/.test(range)),
  );
}

/** `os=linux & (cpu=x64 | cpu=arm64)`. */
function parseConditions(text: string): PlatformConstraints {
  const values = (name: string): readonly string[] =>
    [...text.matchAll(new RegExp(`\\b${name}=(!?[\\w.-]+)`, 'g'))].map(([, value = '']) => value);
  return { os: values('os'), cpu: values('cpu'), libc: values('libc') };
}
