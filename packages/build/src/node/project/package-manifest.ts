import type { LayeredTree } from '@ocijs/bundle';
import { readTreeFile } from '../../context/read-tree-file.ts';
import { BuildError } from '../../errors.ts';
import { MAX_PACKAGE_JSON_BYTES } from '../../limits.ts';

type Texts = ReadonlyMap<string, string>;

/** What a `package.json` says, as far as it matters here; what has another form than it should counts as missing. */
export interface PackageManifest {
  readonly name: string | undefined;
  readonly version: string | undefined;
  readonly main: string | undefined;
  /** Programs, by the name that they are started with. */
  readonly bin: Texts;
  readonly scripts: Texts;
  readonly engines: Texts;
  /** Without those that are optional. */
  readonly dependencies: Texts;
  readonly optionalDependencies: Texts;
  readonly devDependencies: Texts;
  /** Without those that are optional. */
  readonly peerDependencies: Texts;
  /** What came with the package, in its own `node_modules`. */
  readonly hasBundledDependencies: boolean;
  readonly workspaces: readonly string[];
  /** yarn's `resolutions`: names whose ranges are overridden. */
  readonly resolutions: readonly string[];
  readonly packageManager: string | undefined;
  readonly constraints: PlatformConstraints;
  readonly license: string | undefined;
  readonly repository: string | undefined;
  readonly description: string | undefined;
}

/** What a package runs on; an empty list means everything, `!x` all but x. */
export interface PlatformConstraints {
  readonly os: readonly string[];
  readonly cpu: readonly string[];
  readonly libc: readonly string[];
}

/** Where a package is found, relative to the root of a tree. */
export function manifestPath(directory: string): string {
  return directory === '.' ? 'package.json' : `${directory}/package.json`;
}

/**
 * Reads the `package.json` of a directory; `undefined` when there is none.
 *
 * @throws BuildError `ERR_OCI_NODE_PROJECT_INVALID` for one that is no JSON object, or too large.
 */
export function readManifest(tree: LayeredTree, directory: string): PackageManifest | undefined {
  const path = manifestPath(directory);
  const code = 'ERR_OCI_NODE_PROJECT_INVALID';
  const bytes = readTreeFile(tree, path, { limit: MAX_PACKAGE_JSON_BYTES, code });
  if (bytes === undefined) return undefined;
  let document: unknown;
  try {
    document = JSON.parse(bytes.toString('utf8').replace(/^\uFEFF/, ''));
  } catch (cause) {
    throw new BuildError(code, `${path} is no JSON`, { path, cause });
  }
  if (!isRecord(document)) throw new BuildError(code, `${path} is no JSON object`, { path });
  return parseManifest(document);
}

/** The fields of a `package.json`. */
export function parseManifest(document: Readonly<Record<string, unknown>>): PackageManifest {
  const name = text(document['name']);
  const optionalDependencies = texts(document['optionalDependencies']);
  const bundled = document['bundleDependencies'] ?? document['bundledDependencies'];
  const { workspaces, repository } = document;
  return {
    name,
    version: text(document['version']),
    main: text(document['main']),
    bin: programs(document['bin'], name),
    scripts: texts(document['scripts']),
    engines: texts(document['engines']),
    dependencies: without(texts(document['dependencies']), optionalDependencies),
    optionalDependencies,
    devDependencies: texts(document['devDependencies']),
    peerDependencies: without(
      texts(document['peerDependencies']),
      optionalPeers(document['peerDependenciesMeta']),
    ),
    hasBundledDependencies: bundled === true || (Array.isArray(bundled) && bundled.length > 0),
    workspaces: list(isRecord(workspaces) ? workspaces['packages'] : workspaces),
    resolutions: [...texts(document['resolutions']).keys()],
    packageManager: text(document['packageManager']),
    constraints: constraintsOf(document),
    license: text(document['license']),
    repository: text(isRecord(repository) ? repository['url'] : repository),
    description: text(document['description']),
  };
}

/** The fields `os`, `cpu` and `libc`, as package.json and lock files have them: one text, or a list. */
export function constraintsOf(fields: Readonly<Record<string, unknown>>): PlatformConstraints {
  const some = (value: unknown): readonly string[] => (typeof value === 'string' ? [value] : list(value));
  return { os: some(fields['os']), cpu: some(fields['cpu']), libc: some(fields['libc']) };
}

/** The names in `peerDependenciesMeta` that need not be there. */
export function optionalPeers(value: unknown): Texts {
  const entries = isRecord(value) ? Object.entries(value) : [];
  return new Map(
    entries.flatMap(([name, meta]) =>
      isRecord(meta) && meta['optional'] === true ? [[name, ''] as const] : [],
    ),
  );
}

/** A record of texts; other values are left out. */
export function texts(value: unknown): Texts {
  const entries = isRecord(value) ? Object.entries(value) : [];
  return new Map(entries.flatMap(([name, one]) => (typeof one === 'string' ? [[name, one] as const] : [])));
}

/** The entries of a map whose keys another one does not have. */
export function without(map: Texts, others: ReadonlyMap<string, unknown>): Texts {
  return new Map([...map].filter(([name]) => !others.has(name)));
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function list(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A single program has the name of its package, without the scope. */
function programs(value: unknown, name: string | undefined): Texts {
  if (typeof value !== 'string') return texts(value);
  return name === undefined ? new Map() : new Map([[name.slice(name.indexOf('/') + 1), value]]);
}
