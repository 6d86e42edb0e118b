import type { LayeredTree, TreeFile } from '@ocijs/bundle';
import { readTreeFile } from '../context/read-tree-file.ts';
import { isDirectoryFile } from '../copy/select-files.ts';
import { BuildError } from '../errors.ts';
import { MAX_PACKAGE_DATABASE_BYTES, MAX_PACKAGE_JSON_BYTES } from '../limits.ts';
import { readApkDatabase } from './apk.ts';
import { readDpkgStatus } from './dpkg.ts';
import { readPackageJson } from './npm.ts';
import type { FoundPackage } from './package.ts';
import { readRpmHeader } from './rpm/header.ts';
import { readSqliteTable } from './rpm/sqlite.ts';

/**
 * The packages of a file system, by what the databases of dpkg, apk and rpm (SQLite) and the `package.json` files in
 * `node_modules` say. The order does not depend on how the files are stored.
 *
 * @throws BuildError `ERR_OCI_BUILD_SBOM_FAILED` for a database that is damaged, or too large.
 */
export function findPackages(
  tree: LayeredTree,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): readonly FoundPackage[] {
  const text = (path: string): string =>
    readTreeFile(tree, path, {
      limit: MAX_PACKAGE_DATABASE_BYTES,
      code: 'ERR_OCI_BUILD_SBOM_FAILED',
    })?.toString('utf8') ?? '';
  const dpkg = ['var/lib/dpkg/status', ...filesIn(tree, 'var/lib/dpkg/status.d')];
  const apk = ['lib/apk/db/installed', 'usr/lib/apk/db/installed'];
  const rpm = ['var/lib/rpm/rpmdb.sqlite', 'usr/lib/sysimage/rpm/rpmdb.sqlite'];
  const found = [
    ...unique(tree, dpkg).flatMap((path) => readDpkgStatus(text(path), path)),
    ...unique(tree, apk).flatMap((path) => readApkDatabase(text(path), path)),
    ...unique(tree, rpm).flatMap((path) => readRpmDatabase(tree, path)),
    ...nodePackages(tree, signal),
  ];
  return found.toSorted((a, b) => compare(keyOf(a), keyOf(b)));
}

function keyOf({ type, name, version, location }: FoundPackage): string {
  return [type, name, version, location].join('\0');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Each file once, however many links lead to it. */
function unique(tree: LayeredTree, paths: readonly string[]): readonly string[] {
  return [
    ...new Set(
      paths.flatMap((path) => {
        const { path: real, file } = tree.resolve(path, { followLast: true });
        return file === undefined ? [] : [real];
      }),
    ),
  ];
}

function filesIn(tree: LayeredTree, directory: string): readonly string[] {
  const { file } = tree.resolve(directory, { followLast: true });
  if (file === undefined || !isDirectoryFile(file)) return [];
  const names = tree.children(file).map(([name]) => name);
  return names.filter((name) => !name.endsWith('.md5sums')).map((name) => `${directory}/${name}`);
}

function readRpmDatabase(tree: LayeredTree, path: string): readonly FoundPackage[] {
  const file = readTreeFile(tree, path, {
    limit: MAX_PACKAGE_DATABASE_BYTES,
    code: 'ERR_OCI_BUILD_SBOM_FAILED',
  });
  if (file === undefined) return [];
  try {
    return readSqliteTable(file, 'Packages').flatMap(([, blob]) =>
      Buffer.isBuffer(blob) ? (readRpmHeader(blob, path) ?? []) : [],
    );
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new BuildError('ERR_OCI_BUILD_SBOM_FAILED', `/${path} is damaged`, {
      path,
      cause,
      hint: 'the list of packages would not be complete; build without --sbom',
    });
  }
}

function nodePackages(tree: LayeredTree, signal: AbortSignal | undefined): readonly FoundPackage[] {
  const { file: root } = tree.resolve('.', { followLast: true });
  const found: FoundPackage[] = [];
  const visit = (directory: TreeFile, place: 'elsewhere' | 'modules' | 'scope'): void => {
    signal?.throwIfAborted();
    for (const [name, child] of tree.children(directory)) {
      if (!isDirectoryFile(child)) continue;
      if (name === 'node_modules') visit(child, 'modules');
      else if (place === 'modules' && name.startsWith('@')) visit(child, 'scope');
      else {
        const path = `${child.path}/package.json`;
        const json =
          place === 'elsewhere'
            ? undefined
            : readTreeFile(tree, `/${path}`, {
                limit: MAX_PACKAGE_JSON_BYTES,
                code: 'ERR_OCI_BUILD_SBOM_FAILED',
              });
        const one = json === undefined ? undefined : readPackageJson(json.toString('utf8'), path);
        if (one !== undefined) found.push(one);
        visit(child, 'elsewhere');
      }
    }
  };
  if (root !== undefined) visit(root, 'elsewhere');
  return found;
}
