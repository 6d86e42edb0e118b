import { posix } from 'node:path';
import type { LayeredTree } from '@ocijs/bundle';
import { readTreeFile } from '../../context/read-tree-file.ts';
import { createIgnoreRules, type IgnoreRules, parseIgnoreFile } from '../../ignore/ignore.ts';
import { MAX_IGNORE_FILE_BYTES } from '../../limits.ts';
import { manifestPath, type PackageManifest } from '../project/package-manifest.ts';
import { insideRoot, join } from '../project/paths.ts';
import { isOfProject } from './left-out.ts';
import type { NodeFile } from './node-file.ts';
import { walkFiles } from './walk-files.ts';

export interface ProjectFilesOptions {
  readonly manifest: PackageManifest;
  /** The other projects of the repository, which have files of their own. */
  readonly others: ReadonlySet<string>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The files of a project: those of its directory that `package.json.dockerignore` or `.dockerignore` does not exclude, without
 * `node_modules` and what is in no image.
 */
export function projectFiles(
  tree: LayeredTree,
  directory: string,
  { manifest, others, signal }: ProjectFilesOptions,
): readonly NodeFile[] {
  const rules = ignoreRules(tree, directory);
  const isIgnored = (path: string): boolean =>
    path !== manifestPath(directory) &&
    rules.ignores(directory === '.' ? path : path.slice(directory.length + 1));
  const isNever = (path: string): boolean => {
    const name = posix.basename(path);
    const isTop = posix.dirname(path) === directory;
    return name === 'node_modules' || others.has(path) || (isTop && isOfProject(name));
  };
  return walkFiles(tree, directory, {
    within: directory,
    executables: new Set([...manifest.bin.values()].flatMap((path) => insideRoot(directory, path) ?? [])),
    leavesOut: (path) => isNever(path) || isIgnored(path),
    enters: (path) => rules.hasExceptions && !isNever(path),
    signal,
  });
}

/** True when a file of a project takes no part because its ignore file says so. */
export function ignoreRules(tree: LayeredTree, directory: string): IgnoreRules {
  const read = (name: string): string | undefined =>
    readTreeFile(tree, join(directory, name), { limit: MAX_IGNORE_FILE_BYTES })?.toString('utf8');
  return createIgnoreRules(parseIgnoreFile(read('package.json.dockerignore') ?? read('.dockerignore') ?? ''));
}
