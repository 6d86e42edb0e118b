import type { LayeredTree } from '@ocijs/bundle';
import type { InstalledPackage } from '../installed/installation.ts';
import { insideRoot, join } from '../project/paths.ts';
import type { NodeFile } from './node-file.ts';
import { walkFiles } from './walk-files.ts';

export interface PackageFilesOptions {
  /** Where other packages are: they have files of their own. */
  readonly others: ReadonlySet<string>;
  readonly signal?: AbortSignal | undefined;
}

/** The files of an installed package: as they were published, what is bundled included, without packages that are installed below it. */
export function packageFiles(
  tree: LayeredTree,
  { directory, manifest }: InstalledPackage,
  { others, signal }: PackageFilesOptions,
): readonly NodeFile[] {
  const modules = join(directory, 'node_modules');
  const isCompiled = tree.resolve(join(directory, 'binding.gyp'), { followLast: false }).file !== undefined;
  return walkFiles(tree, directory, {
    within: directory,
    executables: new Set([...manifest.bin.values()].flatMap((path) => insideRoot(directory, path) ?? [])),
    leavesOut: (path) =>
      (path === modules && !manifest.hasBundledDependencies) ||
      path.endsWith('/node_modules/.bin') ||
      others.has(path) ||
      (isCompiled && isByproduct(path.slice(directory.length + 1))),
    signal,
  });
}

/** What node-gyp leaves beside what it makes, with paths of this host in it. */
function isByproduct(path: string): boolean {
  return /^build\/(?:Makefile|config\.gypi|gyp-.*|.*\.mk|(?:Release|Debug)\/(?:obj|obj\.target|\.deps|\.forge-meta))$/.test(
    path,
  );
}
